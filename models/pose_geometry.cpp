#include "models/pose_geometry.hpp"

#include <numeric>
#include <utility>

namespace musetalk::models {

namespace {

constexpr float padding = 1.25f;

/// A run of keypoints that a mirror reverses.
struct run {
  int first, last;
};

// Of the face, counted from its first point: jaw, brows, nose base, outer and inner lips.
constexpr run reversed_face[] = {{0, 16},  {17, 26}, {31, 35}, {48, 54},
                                 {55, 59}, {60, 64}, {65, 67}};

// Left and right of the body, feet and eyes.
constexpr std::pair<int, int> swapped[] = {
    {1, 2},   {3, 4},   {5, 6},   {7, 8},   {9, 10},  {11, 12}, {13, 14}, {15, 16}, {17, 20},
    {18, 21}, {19, 22}, {59, 68}, {60, 67}, {61, 66}, {62, 65}, {63, 70}, {64, 69}};

constexpr int left_hand = 91;
constexpr int right_hand = 112;
constexpr int hand_points = 21;

std::array<int, body_keypoints> make_mirror() {
  auto mirror = std::array<int, body_keypoints>{};
  std::iota(mirror.begin(), mirror.end(), 0);
  auto link = [&](int a, int b) {
    mirror[static_cast<size_t>(a)] = b;
    mirror[static_cast<size_t>(b)] = a;
  };
  for (auto [a, b] : swapped)
    link(a, b);
  for (auto [first, last] : reversed_face)
    for (auto a = first, b = last; a < b; ++a, --b)
      link(static_cast<int>(first_face_keypoint) + a, static_cast<int>(first_face_keypoint) + b);
  for (auto i = 0; i < hand_points; ++i)
    link(left_hand + i, right_hand + i);
  return mirror;
}

} // namespace

pose_canvas canvas_of(int frame_width, int frame_height, int canvas_width, int canvas_height) {
  auto aspect = static_cast<float>(static_cast<double>(canvas_width) / canvas_height);
  auto width = static_cast<float>(frame_width), height = static_cast<float>(frame_height);
  auto w = width * padding, h = height * padding;
  if (w > h * aspect)
    h = w / aspect;
  else
    w = h * aspect;
  return {{width * 0.5f, height * 0.5f}, {w, h}};
}

std::array<double, 6> frame_to_canvas(const pose_canvas& canvas, int canvas_width,
                                      int canvas_height) {
  auto zoom = canvas_width / canvas.scale[0];
  return {zoom, 0.0,  0.5 * canvas_width - zoom * canvas.centre[0],
          0.0,  zoom, 0.5 * canvas_height - zoom * canvas.centre[1]};
}

std::array<double, 2> canvas_to_frame(const pose_canvas& canvas, std::array<double, 2> point,
                                      int canvas_width, int canvas_height) {
  return {point[0] / canvas_width * canvas.scale[0] + canvas.centre[0] - 0.5 * canvas.scale[0],
          point[1] / canvas_height * canvas.scale[1] + canvas.centre[1] - 0.5 * canvas.scale[1]};
}

const std::array<int, body_keypoints>& mirrored_keypoints() {
  static const auto mirror = make_mirror();
  return mirror;
}

} // namespace musetalk::models
