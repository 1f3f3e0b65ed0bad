#pragma once

#include "models/checkpoint/checkpoint.hpp"
#include "models/networks/layers.hpp"
#include "models/networks/weight_loading.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace musetalk::models {

/// Sizes of an `S3FD`. No file states them, so they come from the shapes of its weights.
struct s3fd_config {
  std::array<int64_t, 5> vgg = {64, 128, 256, 512, 512}; ///< Channels of the five stages.
  int64_t fc = 1024;
  std::array<int64_t, 2> conv6 = {256, 512};
  std::array<int64_t, 2> conv7 = {128, 256};

  /// @throws musetalk::error `models_invalid` when the file holds no such network.
  static s3fd_config from_weights(const checkpoint& source);
};

/// Levels of the detector, each with twice the stride of the one before, from 4 to 128 pixels.
inline constexpr size_t s3fd_levels = 6;

/// Scales the channels of every pixel to a learned length.
class L2NormImpl : public torch::nn::Module {
public:
  explicit L2NormImpl(int64_t channels);

  /// @param x `[n, channels, h, w]`. @returns the same shape.
  at::Tensor forward(const at::Tensor& x);

private:
  at::Tensor weight_;
};
TORCH_MODULE(L2Norm);

/// What the detector says about every cell of a level.
struct s3fd_level {
  at::Tensor conf; ///< `[n, 2, h, w]`: background, face (before the softmax).
  at::Tensor loc;  ///< `[n, 4, h, w]`: shift and size relative to the prior box.
};

/// Single-shot face detector on a VGG-16 trunk.
///
/// Source: 1adrianb/face-alignment `s3fd` (detection/sfd/net_s3fd.py), as MuseTalk carries it.
class S3FDImpl : public torch::nn::Module {
public:
  explicit S3FDImpl(const s3fd_config& config);

  /// @param x `[n, 3, h, w]` as `s3fd_input` makes it; h and w at least 32.
  std::array<s3fd_level, s3fd_levels> forward(const at::Tensor& x);

private:
  at::Tensor activated(const std::string& name, const at::Tensor& x);

  std::map<std::string, Conv2d> convs_;
  std::map<std::string, L2Norm> norms_;
};
TORCH_MODULE(S3FD);

/// Names of `s3fd-619a316812.pth`: the same as ours.
weight_names s3fd_names();

/// Frames `[n, h, w, 3]` uint8 BGR as the detector takes them: RGB, minus the means *of BGR*, `[n,
/// 3, h, w]`. The mix-up is upstream's and the boxes depend on it.
at::Tensor s3fd_input(const at::Tensor& bgr);

/// A face of one frame.
struct s3fd_face {
  double left = 0, top = 0, right = 0, bottom = 0; ///< Frame pixels; may reach out of the frame.
  double score = 0;                                ///< 0 to 1.
};

/// Every cell of entry `index` whose probability of a face is above 0.05, level by level.
std::vector<s3fd_face> s3fd_candidates(const std::array<s3fd_level, s3fd_levels>& levels,
                                       int64_t index);

/// Greedy suppression of what overlaps a better face by more than 0.3 (areas with the +1
/// convention), then of what scores 0.5 or less; best first. Source: face-alignment `nms`
/// (detection/sfd/bbox.py) and `SFDDetector`.
std::vector<s3fd_face> s3fd_faces(std::vector<s3fd_face> candidates);

} // namespace musetalk::models
