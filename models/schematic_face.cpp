#include "models/schematic_face.hpp"

#include <cmath>
#include <cstddef>
#include <numbers>

namespace musetalk::models {

namespace {

using landmarks = std::array<std::pair<double, double>, 68>;

constexpr double pi = std::numbers::pi;

/// Points `first` to `last` along an arc of an ellipse, angles in half turns, 0 to the right,
/// growing downwards.
void arc(landmarks& face, size_t first, size_t last, std::pair<double, double> centre,
         std::pair<double, double> radii, double from, double to) {
  for (auto i = first; i <= last; ++i) {
    auto share = static_cast<double>(i - first) / static_cast<double>(last - first);
    auto angle = pi * (from + (to - from) * share);
    face[i] = {centre.first + radii.first * std::cos(angle),
               centre.second + radii.second * std::sin(angle)};
  }
}

} // namespace

landmarks schematic_landmarks() {
  auto face = landmarks{};
  arc(face, 0, 16, {0.0, -0.05}, {0.5, 0.65}, 1.0, 0.0);    // jaw, from the person's right
  arc(face, 17, 21, {-0.22, -0.2}, {0.15, 0.07}, 1.0, 2.0); // brows
  arc(face, 22, 26, {0.22, -0.2}, {0.15, 0.07}, 1.0, 2.0);
  for (size_t i = 27; i <= 30; ++i) // nose
    face[i] = {0.0, -0.12 + 0.09 * static_cast<double>(i - 27)};
  arc(face, 31, 35, {0.0, 0.17}, {0.1, 0.04}, 1.0, 0.0);
  arc(face, 36, 41, {-0.22, -0.1}, {0.08, 0.04}, 1.0, 2.0 + 2.0 / 3.0); // eyes, round
  arc(face, 42, 47, {0.22, -0.1}, {0.08, 0.04}, 1.0, 2.0 + 2.0 / 3.0);
  arc(face, 48, 59, {0.0, 0.33}, {0.18, 0.08}, 1.0, 2.0 + 5.0 / 6.0); // lips, round
  arc(face, 60, 67, {0.0, 0.33}, {0.13, 0.03}, 1.0, 2.0 + 3.0 / 4.0);
  return face;
}

} // namespace musetalk::models
