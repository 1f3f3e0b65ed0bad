#pragma once

#include "pipeline/image.hpp"

#include <filesystem>
#include <memory>
#include <vector>

namespace musetalk::pipeline {

/// Where people are, at the resolution of the network: 256 x 256 or 256 x 144, whatever the shape
/// of the picture that it covers.
struct person_mask {
  int32_t width = 0;
  int32_t height = 0;
  std::vector<float> values; ///< Probability, `[height, width]`, 0..1.
};

/// Which of MediaPipe's two networks.
enum class segmenter_shape : uint8_t {
  general,   ///< 256 x 256.
  landscape, ///< 256 x 144: half the work, for pictures that are wider than high.
};

/// MediaPipe's selfie segmentation on OpenCV DNN. Threads as for `face_detector`.
///
/// Source: MediaPipe `modules/selfie_segmentation`, without its resize to the picture.
class person_segmenter {
public:
  /// Loads `selfie_segmentation.onnx` or `selfie_segmentation_landscape.onnx`.
  /// @throws error `models_missing`, `models_invalid`.
  person_segmenter(const std::filesystem::path& models_dir, segmenter_shape shape);
  person_segmenter(person_segmenter&&) noexcept;
  person_segmenter& operator=(person_segmenter&&) noexcept;
  ~person_segmenter();

  /// @param picture BGR. @throws error `device_failed`.
  person_mask segment(const image& picture);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace musetalk::pipeline
