#pragma once

#include "models/checkpoint/json_reader.hpp"
#include "models/networks/layers.hpp"
#include "models/networks/weight_loading.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace musetalk::models {

/// Sizes of a `UNet2DConditionModel`, as `musetalk.json` states them.
struct unet_config {
  int64_t in_channels = 8;
  int64_t out_channels = 4;
  std::vector<int64_t> block_out_channels = {320, 640, 1280, 1280};
  std::vector<bool> down_attention = {true, true, true, false}; ///< Levels with transformers.
  std::vector<bool> up_attention = {false, true, true, true};
  int64_t layers_per_block = 2;
  int64_t cross_attention_dim = 384;
  int64_t heads = 8; ///< The file calls it `attention_head_dim`, by an old mistake.
  int64_t norm_num_groups = 32;
  double norm_eps = 1e-5;
  bool flip_sin_to_cos = true;

  /// @throws musetalk::error `models_invalid` for values that this network does not know.
  static unet_config from_json(const json_value& json);
};

/// Two 3x3 convolutions around a time embedding, and a skip.
///
/// Source: diffusers `ResnetBlock2D` (models/resnet.py, v0.30.2).
class UnetResnetBlockImpl : public torch::nn::Module {
public:
  UnetResnetBlockImpl(const unet_config& config, int64_t in, int64_t out);

  /// Adds what the block takes from a constant time embedding to the bias of its first convolution,
  /// and lets go of the weights that made it.
  /// @param activated_time `silu(time embedding)`, `[1, time channels]`.
  void fold_time(const at::Tensor& activated_time);

  /// @param x `[n, in, h, w]`. @returns `[n, out, h, w]`.
  at::Tensor forward(const at::Tensor& x);

private:
  GroupNorm norm1_;
  Conv2d conv1_;
  Linear time_emb_proj_;
  GroupNorm norm2_;
  Conv2d conv2_;
  Conv2d conv_shortcut_{nullptr};
};
TORCH_MODULE(UnetResnetBlock);

/// Multi-head attention of tokens to themselves or to a context.
///
/// Source: diffusers `Attention` with `AttnProcessor2_0` (models/attention_processor.py, v0.30.2).
class UnetAttentionImpl : public torch::nn::Module {
public:
  UnetAttentionImpl(int64_t channels, int64_t context_channels, int64_t heads);

  /// @param x `[n, tokens, channels]`.
  /// @param context `[n, context tokens, context channels]`; `x` itself for self-attention.
  /// @returns `[n, tokens, channels]`.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& context);

private:
  int64_t heads_;
  Linear to_q_;
  Linear to_k_;
  Linear to_v_;
  Linear to_out_;
};
TORCH_MODULE(UnetAttention);

/// Gated feed-forward of a transformer block.
///
/// Source: diffusers `FeedForward` with `GEGLU` (models/attention.py, v0.30.2).
class UnetFeedForwardImpl : public torch::nn::Module {
public:
  explicit UnetFeedForwardImpl(int64_t channels);

  /// @param x `[n, tokens, channels]`. @returns the same shape.
  at::Tensor forward(const at::Tensor& x);

private:
  Linear proj_;
  Linear out_;
};
TORCH_MODULE(UnetFeedForward);

/// A transformer over the pixels of a feature map, which looks at the audio.
///
/// Source: diffusers `Transformer2DModel` with one `BasicTransformerBlock` (v0.30.2).
class UnetTransformerImpl : public torch::nn::Module {
public:
  UnetTransformerImpl(const unet_config& config, int64_t channels);

  /// @param x `[n, channels, h, w]`. @param audio `[n, tokens, cross_attention_dim]`.
  /// @returns `[n, channels, h, w]`.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& audio);

private:
  GroupNorm norm_;
  Conv2d proj_in_;
  LayerNorm norm1_;
  UnetAttention attn1_;
  LayerNorm norm2_;
  UnetAttention attn2_;
  LayerNorm norm3_;
  UnetFeedForward ff_;
  Conv2d proj_out_;
};
TORCH_MODULE(UnetTransformer);

/// A level on the way down: resnets with transformers, then half the size. Every result is kept for
/// the way up.
class UnetDownLevelImpl : public torch::nn::Module {
public:
  UnetDownLevelImpl(const unet_config& config, int64_t in, int64_t out, bool attention, bool halve);

  /// @param x `[n, in, h, w]`. @param skips Takes what the way up needs; owned by the caller.
  /// @returns `[n, out, h', w']`.
  at::Tensor forward(at::Tensor x, const at::Tensor& audio, std::vector<at::Tensor>& skips);

private:
  std::vector<UnetResnetBlock> resnets_;
  std::vector<UnetTransformer> attentions_;
  Conv2d downsampler_{nullptr};
};
TORCH_MODULE(UnetDownLevel);

/// A level on the way up: every resnet takes a kept result too, then twice the size.
class UnetUpLevelImpl : public torch::nn::Module {
public:
  /// @param skip_channels Of the kept results, in the order in which they are taken.
  UnetUpLevelImpl(const unet_config& config, int64_t in, int64_t out,
                  const std::vector<int64_t>& skip_channels, bool attention, bool twice);

  /// @param x `[n, in, h, w]`. @param skips Gives up its last entries.
  /// @returns `[n, out, h', w']`.
  at::Tensor forward(at::Tensor x, const at::Tensor& audio, std::vector<at::Tensor>& skips);

private:
  std::vector<UnetResnetBlock> resnets_;
  std::vector<UnetTransformer> attentions_;
  Conv2d upsampler_{nullptr};
};
TORCH_MODULE(UnetUpLevel);

/// Resnet, transformer, resnet at the smallest size.
class UnetMidLevelImpl : public torch::nn::Module {
public:
  UnetMidLevelImpl(const unet_config& config, int64_t channels);

  /// @param x `[n, channels, h, w]`. @returns the same shape.
  at::Tensor forward(at::Tensor x, const at::Tensor& audio);

private:
  UnetResnetBlock before_;
  UnetTransformer attention_;
  UnetResnetBlock after_;
};
TORCH_MODULE(UnetMidLevel);

/// MuseTalk's UNet: latents and audio in, the latent of the speaking face out. It is always asked
/// at time step 0, so the time embedding is a constant that `fold_time` removes.
///
/// Source: diffusers `UNet2DConditionModel` (models/unets/unet_2d_condition.py, v0.30.2), as
/// MuseTalk configures it.
class UNet2DConditionModelImpl : public torch::nn::Module {
public:
  explicit UNet2DConditionModelImpl(const unet_config& config);

  /// Folds time step 0 into biases. To be called once, after the weights are there and before
  /// `forward`.
  void fold_time();

  /// @param sample `[n, in_channels, h, w]`; h and w multiples of `2^(levels - 1)`.
  /// @param audio `[n, tokens, cross_attention_dim]`, position encoding added.
  /// @returns `[n, out_channels, h, w]`.
  at::Tensor forward(const at::Tensor& sample, const at::Tensor& audio);

  const unet_config& config() const noexcept { return config_; }

private:
  unet_config config_;
  Conv2d conv_in_{nullptr};
  Linear time_linear_1_{nullptr};
  Linear time_linear_2_{nullptr};
  std::vector<UnetDownLevel> down_;
  UnetMidLevel mid_{nullptr};
  std::vector<UnetUpLevel> up_;
  GroupNorm conv_norm_out_{nullptr};
  Conv2d conv_out_{nullptr};
};
TORCH_MODULE(UNet2DConditionModel);

/// A resnet and a transformer of the published UNet with hashed weights, at its second level: they
/// stand for the whole when number formats are compared (precision_choice.hpp).
std::function<at::Tensor()> unet_part(at::ScalarType type);

/// Names of `unet.pth`: the same as ours.
weight_names unet_names();

/// Sinusoids that number the tokens: even columns sine, odd columns cosine, added to the audio
/// before the UNet. Source: MuseTalk `PositionalEncoding` (musetalk/models/unet.py).
/// @returns `[tokens, channels]` fp32.
at::Tensor token_positions(int64_t tokens, int64_t channels);

} // namespace musetalk::models
