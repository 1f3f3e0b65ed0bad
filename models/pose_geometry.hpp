#pragma once

#include <array>
#include <cstddef>

namespace musetalk::models {

/// Points of a whole body; 23 to 90 are the 68 of the face in iBUG order.
inline constexpr size_t body_keypoints = 133;
inline constexpr size_t first_face_keypoint = 23;
inline constexpr size_t face_keypoints = 68;

/// Where the pose network's canvas lies in a frame. The whole frame is taken as one person's box,
/// as upstream does.
struct pose_canvas {
  std::array<double, 2> centre{}; ///< Frame pixels.
  std::array<double, 2> scale{};  ///< Width and height of the canvas in frame pixels.
};

/// The canvas of a frame: its box enlarged by 1.25 and to the aspect of the network's input. Centre
/// and scale are rounded to fp32 as mmpose does.
///
/// Source: mmpose `GetBBoxCenterScale` and `TopdownAffine` (datasets/transforms, v1.1.0).
pose_canvas canvas_of(int frame_width, int frame_height, int canvas_width, int canvas_height);

/// The affine map from frame to canvas pixels, row-major 2 x 3, for `warpAffine` (bilinear, border
/// 0).
std::array<double, 6> frame_to_canvas(const pose_canvas& canvas, int canvas_width,
                                      int canvas_height);

/// A point of the canvas in frame pixels.
std::array<double, 2> canvas_to_frame(const pose_canvas& canvas, std::array<double, 2> point,
                                      int canvas_width, int canvas_height);

/// For each keypoint the one that it becomes in a mirrored picture.
/// Source: mmpose `configs/_base_/datasets/coco_wholebody.py`.
const std::array<int, body_keypoints>& mirrored_keypoints();

} // namespace musetalk::models
