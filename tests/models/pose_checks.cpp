#include "tests/models/pose_checks.hpp"

#include "models/pose_geometry.hpp"

#include <gtest/gtest.h>

namespace musetalk::models::testing {

void expect_pose(golden_case& expected, const simcc& averaged, const rtmpose_config& config,
                 int frame_width, int frame_height) {
  auto pose = decode(averaged);
  expected.expect("output.score", pose.scores);
  auto margin = [&](const std::string& axis) {
    auto name = "output.argmax_margin_" + axis;
    return expected.tensor(name) > 2 * expected.tolerance(name);
  };
  auto clear = margin("x") & margin("y"); // [1, keypoints]
  EXPECT_GT(clear.to(at::kFloat).mean().item<float>(), 0.9f);
  auto agrees = [&](const at::Tensor& got, const std::string& name) {
    return ((got.argmax(2) != expected.tensor(name)) & clear).sum().item<int64_t>() == 0;
  };
  EXPECT_TRUE(agrees(averaged.x, "output.argmax_x"));
  EXPECT_TRUE(agrees(averaged.y, "output.argmax_y"));
  auto canvas = canvas_of(frame_width, frame_height, static_cast<int>(config.canvas_width),
                          static_cast<int>(config.canvas_height));
  auto wanted = expected.tensor("output.keypoints_frame");
  auto wanted_face = expected.tensor("output.face_landmarks_int");
  auto tolerance = expected.tolerance("output.keypoints_frame");
  for (int64_t k = 0; k < config.keypoints; ++k) {
    if (!clear[0][k].item<bool>())
      continue;
    auto point = canvas_to_frame(
        canvas, {pose.points[0][k][0].item<double>(), pose.points[0][k][1].item<double>()},
        static_cast<int>(config.canvas_width), static_cast<int>(config.canvas_height));
    for (size_t axis = 0; axis < 2; ++axis) {
      auto value = point[axis];
      EXPECT_NEAR(value, wanted[0][k][static_cast<int64_t>(axis)].item<double>(), tolerance);
      auto face = k - static_cast<int64_t>(first_face_keypoint);
      if (face < 0 || face >= static_cast<int64_t>(face_keypoints))
        continue;
      EXPECT_EQ(static_cast<int32_t>(value),
                wanted_face[0][face][static_cast<int64_t>(axis)].item<int32_t>());
    }
  }
}

} // namespace musetalk::models::testing
