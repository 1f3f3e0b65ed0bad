#include "pipeline/box_rule.hpp"

#include <algorithm>
#include <cmath>

namespace musetalk::pipeline {

namespace {

constexpr size_t nose_bridge = 29;
constexpr int32_t smallest_side = 8; // pixels; below it there is no face to see
constexpr float farthest = 1e6f;     // pixels; beyond it a point is no position

struct whole_point {
  int32_t x;
  int32_t y;
};

bool usable(const point& p) {
  return std::abs(p.x) < farthest && std::abs(p.y) < farthest; // false for what is no number
}

whole_point truncate(const point& p) {
  return {static_cast<int32_t>(p.x), static_cast<int32_t>(p.y)};
}

box rule(const std::array<point, 68>& landmarks) {
  auto points = std::array<whole_point, 68>{};
  std::ranges::transform(landmarks, points.begin(), truncate);
  auto [left, right] = std::ranges::minmax(points, {}, &whole_point::x);
  auto chin = std::ranges::max(points, {}, &whole_point::y).y;
  auto middle = points[nose_bridge].y;
  return {left.x, std::max(0, middle - (chin - middle)), right.x, chin};
}

box_origin judge(const box& x) {
  if (x.height() <= 0)
    return box_origin::without_height;
  if (x.width() <= 0)
    return box_origin::without_width;
  return x.left < 0 ? box_origin::left_of_frame : box_origin::landmarks;
}

} // namespace

box clamp_to_frame(const box& x, int32_t width, int32_t height) {
  return {std::clamp(x.left, 0, width), std::clamp(x.top, 0, height), std::clamp(x.right, 0, width),
          std::clamp(x.bottom, 0, height)};
}

std::optional<ruled_box> apply_box_rule(const std::array<point, 68>& landmarks,
                                        const std::optional<box>& fallback, int32_t width,
                                        int32_t height) {
  if (!std::ranges::all_of(landmarks, usable))
    return std::nullopt;
  auto whole = rule(landmarks);
  auto origin = judge(whole);
  if (origin != box_origin::landmarks && fallback)
    whole = *fallback;
  else if (origin == box_origin::without_height || origin == box_origin::without_width)
    return std::nullopt;
  // The margin stops at the frame, as upstream's does; so the mask sees the same box.
  whole.bottom = std::min(whole.bottom + bottom_margin, height);
  auto clamped = clamp_to_frame(whole, width, height);
  if (clamped.width() < smallest_side || clamped.height() < smallest_side)
    return std::nullopt;
  return ruled_box{whole, clamped, origin};
}

} // namespace musetalk::pipeline
