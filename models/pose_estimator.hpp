#pragma once

#include "models/latent_encoder.hpp"
#include "models/pose_geometry.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace musetalk::models {

/// What the pose network sees of a frame. `frame_to_canvas` says how to cut it out.
struct pose_input_canvas {
  std::span<const uint8_t>
      pixels;          ///< `[canvas_height, canvas_width, 3]`, BGR, row-major, borrowed.
  int frame_width = 0; ///< Of the frame that it was cut out of, in pixels.
  int frame_height = 0;
};

/// A keypoint in frame pixels; may lie outside the frame.
struct keypoint {
  double x = 0, y = 0;
  float score = 0; ///< Not a probability; 0 or less means not found.
};

using body_pose = std::array<keypoint, body_keypoints>;

/// Whole-body keypoints by DWPose, of which 23 to 90 are the face. Owns its weights. Not
/// thread-safe.
class pose_estimator {
public:
  virtual ~pose_estimator() = default;

  /// Size of a canvas in pixels: 288 x 384 for the published weights.
  virtual int canvas_width() const = 0;
  virtual int canvas_height() const = 0;

  /// Each canvas is seen as it is and mirrored, all in one batch.
  /// @returns One pose per canvas, in order.
  /// @throws musetalk::error `internal` for a canvas of another size, `device_out_of_memory`,
  /// `device_failed`. Source: mmpose `inference_topdown` with flip test, as MuseTalk calls it
  /// (musetalk/utils/preprocessing.py).
  virtual std::vector<body_pose> estimate(std::span<const pose_input_canvas> canvases) = 0;

  virtual device_report report() const = 0;
};

/// Loads DWPose from `models_dir/dwpose/dw-ll_ucoco_384.pth`. Synthetic weights know no faces: the
/// network runs, and a schematic face in the middle of the frame is answered instead of what it
/// says.
/// @throws musetalk::error `models_missing`, `models_invalid`, `device_failed`.
std::unique_ptr<pose_estimator> make_pose_estimator(const load_options& options);

} // namespace musetalk::models
