#pragma once

#include "pipeline/prepared.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace musetalk::pipeline {

/// Rows that v1.5 adds below the chin.
inline constexpr int32_t bottom_margin = 10;

/// Why the box is what it is.
enum class box_origin : uint8_t {
  landmarks = 1,  ///< The rule as it stands.
  left_of_frame,  ///< The landmarks reach over the left edge: upstream takes the detector's box.
  without_height, ///< The landmarks span no rows below the nose bridge: likewise.
  without_width,  ///< The landmarks span no columns: likewise.
};

/// The face box of one frame.
struct ruled_box {
  box whole; ///< As upstream has it: with the margin, may reach over the right edge. For the mask.
  box clamped; ///< Inside the frame, at least 8 x 8. What is cropped and stored.
  box_origin origin = box_origin::landmarks;
};

/// The v1.5 face box (bbox_shift 0). The nose-bridge point 29 is its vertical middle, the chin its
/// bottom, 10 rows are added below. Points are truncated to integers first, as upstream's are.
///
/// Where upstream takes the detector's box because the landmarks are of no use, `fallback` is
/// taken; without one, landmarks that reach over the left edge are used as they are (that box
/// clamps like one at the right edge), and the others give nothing.
///
/// Source: MuseTalk `musetalk/utils/preprocessing.py`, `get_landmark_and_bbox`, and
/// `scripts/realtime_inference.py` (margin).
///
/// @param width, height Of the frame, pixels.
/// @returns Nothing when less than 8 x 8 pixels of the box lie inside the frame: treat the frame as
/// faceless.
std::optional<ruled_box> apply_box_rule(const std::array<point, 68>& landmarks,
                                        const std::optional<box>& fallback, int32_t width,
                                        int32_t height);

/// `x` cut to `[0, width) x [0, height)`; may become empty.
box clamp_to_frame(const box& x, int32_t width, int32_t height);

} // namespace musetalk::pipeline
