#pragma once

#include "pipeline/face_tracker.hpp"
#include "tests/pipeline/pictures.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

namespace musetalk::pipeline {

inline constexpr double tolerance_px = 1.;

/// The farthest point from the official result, in pixels.
inline double distance(const mesh& found, const nlohmann::json& expected) {
  auto result = 0.;
  for (auto i = size_t{0}; i < mesh_size; ++i)
    result = std::max(result, std::hypot(found.points[i].x - expected[2 * i].get<double>(),
                                         found.points[i].y - expected[2 * i + 1].get<double>()));
  return result;
}

/// Runs a folder that `tests/golden/generate/facemesh.py` wrote.
inline void compare_with_official(const std::filesystem::path& folder) {
  auto expected = load_json(folder / "points.json")["frames"];
  auto tracker = face_tracker{face_models(), {.second_try = false}};
  ASSERT_GT(expected.size(), 0u);
  auto farthest = 0.;
  for (auto i = size_t{0}; i < expected.size(); ++i) {
    SCOPED_TRACE(i);
    char name[32];
    std::snprintf(name, sizeof name, "frame_%03zu.png", i);
    auto found = tracker.process_mesh(load_picture(folder / name));
    ASSERT_EQ(found.has_value(), !expected[i].is_null());
    if (!found)
      continue;
    farthest = std::max(farthest, distance(*found, expected[i]));
    EXPECT_LT(distance(*found, expected[i]), tolerance_px);
  }
  testing::Test::RecordProperty("farthest_px", std::to_string(farthest));
}

} // namespace musetalk::pipeline
