#pragma once

#include "models/checkpoint/checkpoint.hpp"
#include "models/networks/layers.hpp"
#include "models/networks/weight_loading.hpp"

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace musetalk::models {

/// Sizes of an `RTMPose`. No file states them, so they come from the shapes of its weights.
struct rtmpose_config {
  std::array<int64_t, 5> widths = {64, 128, 256, 512, 1024}; ///< Of the stem and the four stages.
  std::array<int64_t, 4> depths = {3, 6, 6, 3};              ///< Blocks per stage.
  int64_t canvas_width = 288;
  int64_t canvas_height = 384;
  int64_t keypoints = 133;
  int64_t hidden = 256;    ///< Channels per keypoint in the head.
  int64_t attention = 128; ///< Channels of its attention.

  /// @throws musetalk::error `models_invalid` when the file holds no such network.
  static rtmpose_config from_weights(const checkpoint& source);
};

/// Places per pixel in a SimCC vector.
inline constexpr int64_t simcc_split = 2;

/// Convolution, batch normalisation, SiLU.
class ConvBnSiluImpl : public torch::nn::Module {
public:
  ConvBnSiluImpl(int64_t in, int64_t out, conv_options options);

  /// @param x `[n, in, h, w]`. @returns `[n, out, h', w']`.
  at::Tensor forward(const at::Tensor& x);

private:
  Conv2d conv_;
  BatchNorm2d bn_;
};
TORCH_MODULE(ConvBnSilu);

/// 3x3, then depthwise 5x5 and pointwise.
class CspNextBlockImpl : public torch::nn::Module {
public:
  CspNextBlockImpl(int64_t channels, bool identity);

  /// @param x `[n, channels, h, w]`. @returns the same shape.
  at::Tensor forward(const at::Tensor& x);

private:
  ConvBnSilu conv1_;
  ConvBnSilu depthwise_;
  ConvBnSilu pointwise_;
  bool identity_;
};
TORCH_MODULE(CspNextBlock);

/// Half the channels through blocks, half around them, then channel attention.
class CspLayerImpl : public torch::nn::Module {
public:
  CspLayerImpl(int64_t channels, int64_t depth, bool identity);

  /// @param x `[n, channels, h, w]`. @returns the same shape.
  at::Tensor forward(const at::Tensor& x);

private:
  ConvBnSilu main_conv_;
  ConvBnSilu short_conv_;
  ConvBnSilu final_conv_;
  std::vector<CspNextBlock> blocks_;
  Conv2d attention_;
};
TORCH_MODULE(CspLayer);

/// Features pooled at four sizes.
class SppBottleneckImpl : public torch::nn::Module {
public:
  explicit SppBottleneckImpl(int64_t channels);

  /// @param x `[n, channels, h, w]`. @returns the same shape.
  at::Tensor forward(const at::Tensor& x);

private:
  ConvBnSilu conv1_;
  ConvBnSilu conv2_;
};
TORCH_MODULE(SppBottleneck);

/// Half the size, then a CSP layer; the last stage pools between them.
class CspStageImpl : public torch::nn::Module {
public:
  CspStageImpl(int64_t in, int64_t out, int64_t depth, bool last);

  /// @param x `[n, in, h, w]`. @returns `[n, out, h / 2, w / 2]`.
  at::Tensor forward(const at::Tensor& x);

private:
  ConvBnSilu conv_;
  SppBottleneck pool_{nullptr};
  CspLayer layer_;
};
TORCH_MODULE(CspStage);

/// The trunk.
///
/// Source: mmdet `CSPNeXt` (models/backbones/cspnext.py), with the batch normalisation of mmpose's
/// configuration.
class CspNextImpl : public torch::nn::Module {
public:
  explicit CspNextImpl(const rtmpose_config& config);

  /// @param x `[n, 3, h, w]`. @returns `[n, widths[4], h / 32, w / 32]`.
  at::Tensor forward(at::Tensor x);

private:
  std::shared_ptr<torch::nn::Module> stem_;
  std::vector<ConvBnSilu> stem_convs_;
  std::vector<CspStage> stages_;
};
TORCH_MODULE(CspNext);

/// Scales vectors to a learned length.
class ScaleNormImpl : public torch::nn::Module {
public:
  explicit ScaleNormImpl(int64_t channels);

  /// @param x `[..., channels]`. @returns the same shape.
  at::Tensor forward(const at::Tensor& x);

private:
  double factor_;
  at::Tensor g_;
};
TORCH_MODULE(ScaleNorm);

/// Gated attention between keypoints.
///
/// Source: mmpose `RTMCCBlock` (models/utils/rtmcc_block.py, v1.1.0), its self-attention case.
class GatedAttentionUnitImpl : public torch::nn::Module {
public:
  GatedAttentionUnitImpl(int64_t channels, int64_t attention);

  /// @param x `[n, keypoints, channels]`. @returns the same shape.
  at::Tensor forward(const at::Tensor& x);

private:
  int64_t expanded_;
  int64_t attention_;
  at::Tensor gamma_;
  at::Tensor beta_;
  Linear o_;
  Linear uv_;
  ScaleNorm ln_;
  at::Tensor res_scale_;
};
TORCH_MODULE(GatedAttentionUnit);

/// A vector of likelihoods along each axis, per keypoint.
struct simcc {
  at::Tensor x; ///< `[n, keypoints, split * width]`.
  at::Tensor y; ///< `[n, keypoints, split * height]`.
};

/// Features to SimCC vectors.
///
/// Source: mmpose `RTMCCHead` (models/heads/coord_cls_heads/rtmcc_head.py, v1.1.0).
class RtmccHeadImpl : public torch::nn::Module {
public:
  explicit RtmccHeadImpl(const rtmpose_config& config);

  /// @param features `[n, widths[4], height / 32, width / 32]`.
  simcc forward(const at::Tensor& features);

private:
  Conv2d final_layer_;
  ScaleNorm mlp_norm_;
  Linear mlp_linear_;
  std::shared_ptr<torch::nn::Module> mlp_;
  GatedAttentionUnit gau_;
  Linear cls_x_;
  Linear cls_y_;
};
TORCH_MODULE(RtmccHead);

/// RTMPose, of which DWPose is a set of weights.
class RTMPoseImpl : public torch::nn::Module {
public:
  explicit RTMPoseImpl(const rtmpose_config& config);

  /// @param x `[n, 3, height, width]`, RGB, normalised (`pose_input`).
  simcc forward(const at::Tensor& x);

  /// The mean of the answers for a picture and for its mirror image.
  simcc forward_with_flip(const at::Tensor& x);

  const rtmpose_config& config() const noexcept { return config_; }

private:
  rtmpose_config config_;
  CspNext backbone_;
  RtmccHead head_;
};
TORCH_MODULE(RTMPose);

/// Names of the training checkpoint: the same as ours; what is neither trunk nor head is skipped.
weight_names rtmpose_names();

/// Canvases `[n, height, width, 3]` uint8 BGR as the network takes them: RGB, `(x - mean) / std`,
/// `[n, 3, height, width]`.
at::Tensor pose_input(const at::Tensor& bgr);

/// Keypoints in canvas pixels and their scores.
struct decoded_pose {
  at::Tensor points; ///< `[n, keypoints, 2]`; (-0.5, -0.5) where the score is not positive.
  at::Tensor scores; ///< `[n, keypoints]`.
};

/// The place of the greatest likelihood along each axis.
/// Source: mmpose `get_simcc_maximum` (codecs/utils/post_processing.py, v1.1.0).
decoded_pose decode(const simcc& vectors);

} // namespace musetalk::models
