#pragma once

#include "models/checkpoint/json_reader.hpp"
#include "models/networks/layers.hpp"
#include "models/networks/weight_loading.hpp"

#include <cstdint>
#include <vector>

namespace musetalk::models {

/// Sizes of an `AutoencoderKL`, as its `config.json` states them.
struct autoencoder_config {
  int64_t in_channels = 3;
  int64_t out_channels = 3;
  int64_t latent_channels = 4;
  std::vector<int64_t> block_out_channels = {128, 256, 512, 512};
  int64_t layers_per_block = 2;
  int64_t norm_num_groups = 32;
  double scaling_factor = 0.18215; ///< Of latents; the published file leaves it out.
  bool mid_block_add_attention = true;
  bool use_quant_conv = true;
  bool use_post_quant_conv = true;

  /// @throws musetalk::error `models_invalid` for values that no such network has.
  static autoencoder_config from_json(const json_value& json);
};

/// Two 3x3 convolutions and a skip, without a time embedding.
///
/// Source: diffusers `ResnetBlock2D` (models/resnet.py, v0.30.2).
class VaeResnetBlockImpl : public torch::nn::Module {
public:
  VaeResnetBlockImpl(int64_t in, int64_t out, int64_t groups);

  /// @param x `[n, in, h, w]`. @returns `[n, out, h, w]`.
  at::Tensor forward(const at::Tensor& x);

private:
  GroupNorm norm1_;
  Conv2d conv1_;
  GroupNorm norm2_;
  Conv2d conv2_;
  Conv2d conv_shortcut_{nullptr};
};
TORCH_MODULE(VaeResnetBlock);

/// Single-head self-attention over all pixels.
///
/// Source: diffusers `Attention` with `AttnProcessor2_0` (models/attention_processor.py, v0.30.2).
class VaeAttentionImpl : public torch::nn::Module {
public:
  VaeAttentionImpl(int64_t channels, int64_t groups);

  /// @param x `[n, channels, h, w]`. @returns the same shape.
  at::Tensor forward(const at::Tensor& x);

private:
  GroupNorm group_norm_;
  Linear to_q_;
  Linear to_k_;
  Linear to_v_;
  Linear to_out_;
};
TORCH_MODULE(VaeAttention);

/// Resnet, attention, resnet at the smallest size.
class VaeMidBlockImpl : public torch::nn::Module {
public:
  VaeMidBlockImpl(int64_t channels, int64_t groups, bool attention);

  /// @param x `[n, channels, h, w]`. @returns the same shape.
  at::Tensor forward(at::Tensor x);

private:
  VaeResnetBlock before_;
  VaeAttention attention_{nullptr};
  VaeResnetBlock after_;
};
TORCH_MODULE(VaeMidBlock);

/// A level of the encoder or decoder: resnets, then another size.
class VaeLevelImpl : public torch::nn::Module {
public:
  enum class resize { none, halve, twice };

  VaeLevelImpl(int64_t in, int64_t out, int64_t layers, int64_t groups, resize how);

  /// @param x `[n, in, h, w]`. @returns `[n, out, h', w']`.
  at::Tensor forward(at::Tensor x);

private:
  std::vector<VaeResnetBlock> resnets_;
  Conv2d sampler_{nullptr};
  resize how_;
};
TORCH_MODULE(VaeLevel);

/// Picture to moments.
///
/// Source: diffusers `Encoder` (models/autoencoders/vae.py, v0.30.2).
class VaeEncoderImpl : public torch::nn::Module {
public:
  explicit VaeEncoderImpl(const autoencoder_config& config);

  /// @param x `[n, 3, h, w]`. @returns `[n, 2 * latent_channels, h / 8, w / 8]` for four levels.
  at::Tensor forward(at::Tensor x);

private:
  Conv2d conv_in_{nullptr};
  std::vector<VaeLevel> levels_;
  VaeMidBlock mid_block_{nullptr};
  GroupNorm conv_norm_out_{nullptr};
  Conv2d conv_out_{nullptr};
};
TORCH_MODULE(VaeEncoder);

/// Latent to picture.
///
/// Source: diffusers `Decoder` (models/autoencoders/vae.py, v0.30.2).
class VaeDecoderImpl : public torch::nn::Module {
public:
  explicit VaeDecoderImpl(const autoencoder_config& config);

  /// @param x `[n, latent_channels, h, w]`. @returns `[n, 3, 8 h, 8 w]` for four levels.
  at::Tensor forward(at::Tensor x);

private:
  Conv2d conv_in_{nullptr};
  VaeMidBlock mid_block_{nullptr};
  std::vector<VaeLevel> levels_;
  GroupNorm conv_norm_out_{nullptr};
  Conv2d conv_out_{nullptr};
};
TORCH_MODULE(VaeDecoder);

/// Mean and logarithm of the variance of the posterior over latents, each `[n, latent_channels, h,
/// w]`.
struct posterior {
  at::Tensor mean;
  at::Tensor logvar; ///< Clamped to [-30, 20].
};

/// The VAE of Stable Diffusion. Module names are those of diffusers' checkpoints.
///
/// Source: diffusers `AutoencoderKL` (models/autoencoders/autoencoder_kl.py, v0.30.2).
class AutoencoderKLImpl : public torch::nn::Module {
public:
  explicit AutoencoderKLImpl(const autoencoder_config& config);

  /// @param image `[n, 3, h, w]`, RGB in [-1, 1]; h and w multiples of `2^(levels - 1)`.
  posterior encode(const at::Tensor& image);

  /// @param latent `[n, latent_channels, h, w]`, already divided by the scaling factor.
  /// @returns `[n, 3, 8 h, 8 w]`, RGB, about [-1, 1], not clamped.
  at::Tensor decode(const at::Tensor& latent);

  const autoencoder_config& config() const noexcept { return config_; }

private:
  autoencoder_config config_;
  VaeEncoder encoder_;
  VaeDecoder decoder_;
  Conv2d quant_conv_{nullptr};
  Conv2d post_quant_conv_{nullptr};
};
TORCH_MODULE(AutoencoderKL);

/// Names of the published file: attention as `query`, `key`, `value`, `proj_attn` or as `to_q` ...
/// `to_out.0`.
weight_names autoencoder_names();

} // namespace musetalk::models
