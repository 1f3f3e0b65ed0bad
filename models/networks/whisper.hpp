#pragma once

#include "models/audio_windows.hpp"
#include "models/checkpoint/json_reader.hpp"
#include "models/networks/layers.hpp"
#include "models/networks/weight_loading.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace musetalk::models {

/// Samples of one segment: 30 s.
inline constexpr int64_t segment_samples = 30 * audio_rate_hz;

/// Sizes of a Whisper encoder, as its `config.json` states them.
struct whisper_config {
  int64_t channels = 384;
  int64_t layers = 4;
  int64_t heads = 6;
  int64_t feed_forward = 1536;
  int64_t mel_bins = 80;
  int64_t positions = 1500;

  /// @throws musetalk::error `models_invalid` for values that this network does not know.
  static whisper_config from_json(const json_value& json);
};

/// Log-mel spectrogram of each 30 s segment, the last padded with silence, each scaled by its own
/// maximum.
///
/// Source: transformers `WhisperFeatureExtractor` (n_fft 400, hop 160, 80 slaney bins), computed in
/// double precision.
///
/// @param samples At 16 kHz, -1 to 1.
/// @returns `[segments, 80, 3000]` fp32; no segments for no samples.
at::Tensor log_mel(std::span<const float> samples);

/// Self-attention of the encoder. Only `k_proj` has no bias.
class WhisperAttentionImpl : public torch::nn::Module {
public:
  explicit WhisperAttentionImpl(const whisper_config& config);

  /// @param x `[n, steps, channels]`. @returns the same shape.
  at::Tensor forward(const at::Tensor& x);

private:
  int64_t heads_;
  Linear q_proj_;
  Linear k_proj_;
  Linear v_proj_;
  Linear out_proj_;
};
TORCH_MODULE(WhisperAttention);

/// One layer: attention, then feed-forward, each after a normalisation.
class WhisperLayerImpl : public torch::nn::Module {
public:
  explicit WhisperLayerImpl(const whisper_config& config);

  /// @param x `[n, steps, channels]`. @returns the same shape.
  at::Tensor forward(at::Tensor x);

private:
  LayerNorm self_attn_layer_norm_;
  WhisperAttention self_attn_;
  LayerNorm final_layer_norm_;
  Linear fc1_;
  Linear fc2_;
};
TORCH_MODULE(WhisperLayer);

/// The encoder half of Whisper.
///
/// Source: transformers `WhisperEncoder` (models/whisper/modeling_whisper.py).
class WhisperEncoderImpl : public torch::nn::Module {
public:
  explicit WhisperEncoderImpl(const whisper_config& config);

  /// @param mel `[n, mel_bins, 2 * positions]`.
  /// @returns All hidden states, `[n, positions, layers + 1, channels]`: first what enters layer 0,
  /// last the
  ///          normalised output.
  at::Tensor forward(const at::Tensor& mel);

  const whisper_config& config() const noexcept { return config_; }

private:
  whisper_config config_;
  Conv1d conv1_{nullptr};
  Conv1d conv2_{nullptr};
  at::Tensor positions_;
  std::vector<WhisperLayer> layers_;
  LayerNorm layer_norm_{nullptr};
};
TORCH_MODULE(WhisperEncoder);

/// Names of the published file: the encoder under `model.encoder.`; the decoder is skipped.
weight_names whisper_names();

/// Cuts the hidden states of a clip into one window per video frame.
/// @param states `[segments, positions, layers, channels]`.
/// @returns `[frames, window * layers, channels]`, time major, layer minor.
at::Tensor cut_windows(const at::Tensor& states, const window_plan& plan);

} // namespace musetalk::models
