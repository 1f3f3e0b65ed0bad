#pragma once

#include <array>
#include <utility>

namespace musetalk::models {

/// A face drawn by rule: what face networks with synthetic weights answer, so that everything
/// behind them runs.

/// The 68 points in iBUG order, in units of the face's width around its centre.
std::array<std::pair<double, double>, 68> schematic_landmarks();

/// Width of the schematic face as a share of the smaller side of the frame.
inline constexpr double schematic_face_share = 0.4;

} // namespace musetalk::models
