#pragma once

#include "pipeline/image.hpp"

#include <filesystem>
#include <memory>

namespace musetalk::pipeline {

/// How strongly the background is blurred.
struct blur_config {
  double sigma_share = 0.02; ///< Standard deviation over the longer side of the frame.
  double smoothing = 0.6;    ///< Weight of the newest person mask over time, in (0, 1].
};

/// Blurs what is behind the person, frame by frame, with a mask that does not flicker: MediaPipe's
/// selfie segmentation on OpenCV DNN, smoothed over time, edges fitted to the picture. Pixels
/// inside the person stay as they are. Frames go in in their order; one thread at a time. Threads
/// inside as for `face_detector`.
class background_blur {
public:
  /// Loads `selfie_segmentation.onnx` and `selfie_segmentation_landscape.onnx`.
  /// @throws error `models_missing`, `models_invalid`.
  explicit background_blur(const std::filesystem::path& models_dir, const blur_config& config = {});
  background_blur(background_blur&&) noexcept;
  background_blur& operator=(background_blur&&) noexcept;
  ~background_blur();

  /// The next frame with its background blurred.
  /// @param picture BGR; all of one size. @throws error `device_failed`.
  image apply(const image& picture);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace musetalk::pipeline
