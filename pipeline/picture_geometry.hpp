#pragma once

#include <cstdint>

namespace musetalk::pipeline {

/// How a stored picture becomes the one that people see: pixels made square, then turned.
struct picture_geometry {
  int32_t stored_width = 0; ///< As the codec has it.
  int32_t stored_height = 0;
  int32_t square_width = 0; ///< With square pixels, before turning.
  int32_t square_height = 0;
  int32_t rotation_degrees = 0; ///< Clockwise: 0, 90, 180 or 270.

  bool turned_on_its_side() const { return rotation_degrees % 180 != 0; }
  int32_t width() const { return turned_on_its_side() ? square_height : square_width; }
  int32_t height() const { return turned_on_its_side() ? square_width : square_height; }
  bool stretched() const { return square_width != stored_width || square_height != stored_height; }

  friend bool operator==(const picture_geometry&, const picture_geometry&) = default;
};

/// Square pixels by stretching the shorter direction, so that no detail is lost; the stretched side
/// becomes even. A picture whose pixels are square keeps its size, odd or not.
/// @param aspect_num, aspect_den Width over height of a pixel; 0 or less in either means square.
/// @returns Sides of at most 2^30.
picture_geometry make_geometry(int32_t width, int32_t height, int32_t aspect_num,
                               int32_t aspect_den, int32_t rotation_degrees);

/// The nearest quarter turn, clockwise, 0 to 270.
/// @param counterclockwise_degrees As `av_display_rotation_get` gives it; NaN means none.
int32_t quarter_turn(double counterclockwise_degrees);

} // namespace musetalk::pipeline
