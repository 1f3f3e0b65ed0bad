#pragma once

#include "pipeline/face_detector.hpp"
#include "pipeline/image.hpp"

#include <array>
#include <filesystem>
#include <memory>
#include <span>

namespace musetalk::pipeline {

/// Points of MediaPipe's face mesh, without the irises.
inline constexpr size_t mesh_size = 468;

/// A turned square in pixels of the frame: where the mesh network looks.
struct face_rect {
  double centre_x = 0.;
  double centre_y = 0.;
  double side = 0.;  ///< Pixels.
  double angle = 0.; ///< Radians, clockwise on the screen (y down).
};

/// What the mesh network says about one square.
struct mesh {
  std::array<point, mesh_size> points{}; ///< Frame pixels; may lie outside the frame.
  float presence = 0.f;                  ///< Probability that the square holds a face.

  /// MediaPipe's own threshold.
  bool present() const { return presence > 0.5f; }
};

/// The square around a detection: 1.5 times its longer side, turned by the line between the eyes.
/// Source: MediaPipe `face_landmark_front_cpu.pbtxt`, detection to ROI.
face_rect rect_from_detection(const detection& found);

/// The square for the next frame: 1.5 times the longer side of the points' axis-aligned bounds,
/// turned by the line between the outer corners of the eyes.
/// Source: MediaPipe `face_landmark_landmarks_to_roi.pbtxt`.
face_rect rect_from_mesh(std::span<const point, mesh_size> points);

/// MediaPipe's face mesh on OpenCV DNN. Threads as for `face_detector`.
class face_mesh {
public:
  /// Loads `face_landmark.onnx` from `models_dir`. @throws error `models_missing`,
  /// `models_invalid`.
  explicit face_mesh(const std::filesystem::path& models_dir);
  face_mesh(face_mesh&&) noexcept;
  face_mesh& operator=(face_mesh&&) noexcept;
  ~face_mesh();

  /// @param picture BGR.
  /// @param where A square of `rect_from_*`; may reach over the frame's edges.
  /// @throws error `device_failed` when the network rejects the work.
  mesh locate(const image& picture, const face_rect& where);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace musetalk::pipeline
