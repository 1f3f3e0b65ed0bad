#pragma once

#include "pipeline/face_mesh.hpp"
#include "pipeline/prepared.hpp"

#include <filesystem>
#include <memory>
#include <optional>

namespace musetalk::pipeline {

/// How a tracker starts.
struct tracker_config {
  bool second_try = true; ///< Ask the far detector when the near one finds nobody.
};

/// Follows one face through a clip: MediaPipe's FaceMesh solution (one face, 468 points, tracking).
/// The detector runs only while no face is followed; afterwards each frame's mesh says where the
/// next one looks. A frame whose face is lost yields nothing, and the next one detects again.
/// Frames go in in their order; one thread at a time. Threads inside as for `face_detector`.
///
/// Source: MediaPipe `face_landmark_front_cpu.pbtxt`; within 1 px of PyPI mediapipe 0.10.14.
class face_tracker {
public:
  /// Loads `face_detection_short_range.onnx`, `face_detection_full_range.onnx` and
  /// `face_landmark.onnx`. @throws error `models_missing`, `models_invalid`.
  explicit face_tracker(const std::filesystem::path& models_dir, const tracker_config& config = {});
  face_tracker(face_tracker&&) noexcept;
  face_tracker& operator=(face_tracker&&) noexcept;
  ~face_tracker();

  /// The face of the next frame: 68 landmarks, the oval's outline, the presence as score.
  /// @param picture BGR. @throws error `device_failed`.
  std::optional<face> process(const image& picture);

  /// The same, as the whole mesh.
  std::optional<mesh> process_mesh(const image& picture);

  /// Forgets the face, as before the first frame.
  void reset() noexcept;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace musetalk::pipeline
