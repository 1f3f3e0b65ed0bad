#pragma once

#include "pipeline/prepared.hpp"

#include <cstdint>

namespace musetalk::pipeline {

/// What the overlay draws in which colour.
struct overlay_colours {
  struct colour {
    uint8_t blue;
    uint8_t green;
    uint8_t red;
  };
  static constexpr auto seen = colour{96, 220, 64};    ///< Box of a face that was found.
  static constexpr auto held = colour{32, 168, 255};   ///< Box of a face that was bridged.
  static constexpr auto mask = colour{224, 96, 255};   ///< Tint of the mask.
  static constexpr auto lines = colour{255, 255, 255}; ///< Oval and points.
};

/// One frame with what was found on it: the mask as a tint, the face box, the oval and the 68
/// points.
/// @param longer_side Of the result, pixels; 0 = the frame's own size.
image draw_overlay(const prepared_frame& shown, int32_t longer_side = 0);

} // namespace musetalk::pipeline
