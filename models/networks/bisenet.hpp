#pragma once

#include "models/checkpoint/checkpoint.hpp"
#include "models/networks/layers.hpp"
#include "models/networks/weight_loading.hpp"

#include <cstdint>
#include <tuple>
#include <vector>

namespace musetalk::models {

/// Sizes of a `BiSeNet`. No file states them, so they come from the shapes of its weights.
struct bisenet_config {
  int64_t base = 64; ///< Channels of the first layer; all others are multiples of it.
  int64_t classes = 19;

  /// @throws musetalk::error `models_invalid` when the file holds no such network.
  static bisenet_config from_weights(const checkpoint& source);
};

/// Convolution, batch normalisation, ReLU.
class ConvBnReluImpl : public torch::nn::Module {
public:
  ConvBnReluImpl(int64_t in, int64_t out, conv_options options);

  /// @param x `[n, in, h, w]`. @returns `[n, out, h', w']`.
  at::Tensor forward(const at::Tensor& x);

private:
  Conv2d conv_;
  BatchNorm2d bn_;
};
TORCH_MODULE(ConvBnRelu);

/// Basic block of ResNet-18.
class BasicBlockImpl : public torch::nn::Module {
public:
  BasicBlockImpl(int64_t in, int64_t out, int64_t stride);

  /// @param x `[n, in, h, w]`. @returns `[n, out, h / stride, w / stride]`.
  at::Tensor forward(const at::Tensor& x);

private:
  Conv2d conv1_;
  BatchNorm2d bn1_;
  Conv2d conv2_;
  BatchNorm2d bn2_;
  Conv2d downsample_{nullptr};
  BatchNorm2d downsample_bn_{nullptr};
};
TORCH_MODULE(BasicBlock);

/// Two basic blocks.
class ResNetLayerImpl : public torch::nn::Module {
public:
  ResNetLayerImpl(int64_t in, int64_t out, int64_t stride);

  at::Tensor forward(const at::Tensor& x);

private:
  BasicBlock first_;
  BasicBlock second_;
};
TORCH_MODULE(ResNetLayer);

/// ResNet-18 without its head.
class ResNet18Impl : public torch::nn::Module {
public:
  explicit ResNet18Impl(int64_t base);

  /// @param x `[n, 3, h, w]`. @returns Features at 1/8, 1/16 and 1/32.
  std::tuple<at::Tensor, at::Tensor, at::Tensor> forward(const at::Tensor& x);

private:
  Conv2d conv1_;
  BatchNorm2d bn1_;
  ResNetLayer layer1_;
  ResNetLayer layer2_;
  ResNetLayer layer3_;
  ResNetLayer layer4_;
};
TORCH_MODULE(ResNet18);

/// Features weighted by what is in the whole picture.
class AttentionRefinementImpl : public torch::nn::Module {
public:
  AttentionRefinementImpl(int64_t in, int64_t out);

  /// @param x `[n, in, h, w]`. @returns `[n, out, h, w]`.
  at::Tensor forward(const at::Tensor& x);

private:
  ConvBnRelu conv_;
  Conv2d conv_atten_;
  BatchNorm2d bn_atten_;
};
TORCH_MODULE(AttentionRefinement);

/// Trunk and what brings its coarse features back to 1/8.
class ContextPathImpl : public torch::nn::Module {
public:
  explicit ContextPathImpl(int64_t base);

  /// @param x `[n, 3, h, w]`. @returns Spatial and context features at 1/8, `[n, 2 base, h / 8, w /
  /// 8]` each.
  std::tuple<at::Tensor, at::Tensor> forward(const at::Tensor& x);

private:
  ResNet18 resnet_;
  AttentionRefinement arm16_;
  AttentionRefinement arm32_;
  ConvBnRelu conv_head32_;
  ConvBnRelu conv_head16_;
  ConvBnRelu conv_avg_;
};
TORCH_MODULE(ContextPath);

/// Joins the two paths.
class FeatureFusionImpl : public torch::nn::Module {
public:
  explicit FeatureFusionImpl(int64_t channels);

  /// @returns `[n, channels, h, w]` of two of half as many channels.
  at::Tensor forward(const at::Tensor& spatial, const at::Tensor& context);

private:
  ConvBnRelu convblk_;
  Conv2d conv1_;
  Conv2d conv2_;
};
TORCH_MODULE(FeatureFusion);

/// Features to classes.
class ParsingHeadImpl : public torch::nn::Module {
public:
  ParsingHeadImpl(int64_t in, int64_t middle, int64_t classes);

  /// @param x `[n, in, h, w]`. @returns `[n, classes, h, w]`.
  at::Tensor forward(const at::Tensor& x);

private:
  ConvBnRelu conv_;
  Conv2d conv_out_;
};
TORCH_MODULE(ParsingHead);

/// Face parsing. The two heads that only training uses are left out.
///
/// Source: zllrunning/face-parsing.PyTorch `BiSeNet` (model.py), as MuseTalk carries it
/// (musetalk/utils/face_parsing/model.py).
class BiSeNetImpl : public torch::nn::Module {
public:
  explicit BiSeNetImpl(const bisenet_config& config);

  /// @param x `[n, 3, h, w]`, RGB, normalised; h and w multiples of 32.
  /// @returns Logits `[n, classes, h, w]`.
  at::Tensor forward(const at::Tensor& x);

private:
  ContextPath cp_;
  FeatureFusion ffm_;
  ParsingHead conv_out_;
};
TORCH_MODULE(BiSeNet);

/// Names of `79999_iter.pth`: the same as ours; `conv_out16` and `conv_out32` are skipped.
weight_names bisenet_names();

} // namespace musetalk::models
