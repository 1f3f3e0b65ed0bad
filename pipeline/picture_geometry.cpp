#include "pipeline/picture_geometry.hpp"

#include <algorithm>
#include <cmath>

namespace musetalk::pipeline {

namespace {

constexpr double max_side = 1 << 30;

int32_t even_side(double x) {
  return 2 * static_cast<int32_t>(std::llround(std::clamp(x, 2., max_side) / 2.));
}

} // namespace

picture_geometry make_geometry(int32_t width, int32_t height, int32_t aspect_num,
                               int32_t aspect_den, int32_t rotation_degrees) {
  auto result = picture_geometry{width, height, width, height, rotation_degrees};
  if (aspect_num <= 0 || aspect_den <= 0 || aspect_num == aspect_den)
    return result;
  const auto aspect = static_cast<double>(aspect_num) / aspect_den;
  if (aspect > 1.)
    result.square_width = even_side(width * aspect);
  else
    result.square_height = even_side(height / aspect);
  return result;
}

int32_t quarter_turn(double counterclockwise_degrees) {
  if (std::isnan(counterclockwise_degrees))
    return 0;
  const auto quarters = std::lround(-counterclockwise_degrees / 90.) % 4;
  return static_cast<int32_t>((quarters + 4) % 4 * 90);
}

} // namespace musetalk::pipeline
