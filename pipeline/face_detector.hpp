#pragma once

#include "pipeline/image.hpp"

#include <array>
#include <filesystem>
#include <memory>
#include <vector>

namespace musetalk::pipeline {

/// A face as a detector sees it, in pixels of the frame. May reach over the frame's edges.
struct detection {
  float score = 0.f; ///< 0..1.
  float left = 0.f;
  float top = 0.f;
  float right = 0.f;
  float bottom = 0.f;
  std::array<point, 6>
      keypoints{}; ///< Right eye, left eye, nose tip, mouth, right ear, left ear (the person's).

  float width() const { return right - left; }
  float height() const { return bottom - top; }
};

/// Which of MediaPipe's two detectors.
enum class detector_range : uint8_t {
  near, ///< `short_range`: faces that fill a good part of the picture; starts the tracking.
  far,  ///< `full_range`: small faces too; used to look for faces and as a second try.
};

/// MediaPipe's face detectors (BlazeFace) on OpenCV DNN. One thread at a time per object; objects
/// on different threads do not disturb each other. The number of threads inside a call is OpenCV's,
/// which is one setting of the process: nothing here changes it.
///
/// Source: MediaPipe `modules/face_detection` (image to tensor, SSD anchors, tensors to detections,
/// weighted non-maximum suppression).
class face_detector {
public:
  /// Loads `face_detection_{short,full}_range.onnx` from `models_dir`.
  /// @throws error `models_missing`, `models_invalid`.
  face_detector(const std::filesystem::path& models_dir, detector_range range);
  face_detector(face_detector&&) noexcept;
  face_detector& operator=(face_detector&&) noexcept;
  ~face_detector();

  /// All faces, best score first, at most 64.
  /// @param picture BGR.
  /// @throws error `device_failed` when the network rejects the work.
  std::vector<detection> detect(const image& picture);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace musetalk::pipeline
