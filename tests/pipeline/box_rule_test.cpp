#include "pipeline/box_rule.hpp"

#include "tests/pipeline/pictures.hpp"

#include <gtest/gtest.h>

#include <limits>

using namespace musetalk::pipeline;

TEST(BoxRule, PutsTheNoseBridgeInTheMiddle) {
  auto shape = plain_face(100.f, 200.f, 150.f, 220.f);
  auto made = apply_box_rule(shape.landmarks, {}, 640, 480);
  ASSERT_TRUE(made);
  // 70 rows below the bridge, 70 above, then the margin.
  EXPECT_EQ(made->whole, (box{100, 80, 200, 230}));
  EXPECT_EQ(made->clamped, made->whole);
  EXPECT_EQ(made->origin, box_origin::landmarks);
}

TEST(BoxRule, TruncatesThePointsBeforeItMeasures) {
  auto shape = plain_face(100.9f, 200.9f, 150.9f, 220.9f);
  auto made = apply_box_rule(shape.landmarks, {}, 640, 480);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->whole, (box{100, 80, 200, 230}));
}

TEST(BoxRule, StartsAtTheFramesTopWhenTheFaceReachesOverIt) {
  auto shape = plain_face(100.f, 200.f, 50.f, 130.f);
  auto made = apply_box_rule(shape.landmarks, {}, 640, 480);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->whole, (box{100, 0, 200, 140}));
}

TEST(BoxRule, ClampsTheBoxToTheFrame) {
  auto shape = plain_face(560.f, 660.f, 400.f, 475.f);
  auto made = apply_box_rule(shape.landmarks, {}, 640, 480);
  ASSERT_TRUE(made);
  // The mask is made from what reaches over the right edge; the margin stops at the bottom.
  EXPECT_EQ(made->whole, (box{560, 325, 660, 480}));
  EXPECT_EQ(made->clamped, (box{560, 325, 640, 480}));
}

TEST(BoxRule, TakesTheFallbackLeftOfTheFrame) {
  auto shape = plain_face(-8.f, 92.f, 150.f, 220.f);
  auto made = apply_box_rule(shape.landmarks, box{0, 70, 95, 215}, 640, 480);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->origin, box_origin::left_of_frame);
  EXPECT_EQ(made->whole, (box{0, 70, 95, 225}));
}

TEST(BoxRule, ClampsLeftOfTheFrameWithoutAFallback) {
  auto shape = plain_face(-8.f, 92.f, 150.f, 220.f);
  auto made = apply_box_rule(shape.landmarks, {}, 640, 480);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->origin, box_origin::left_of_frame);
  EXPECT_EQ(made->whole, (box{-8, 80, 92, 230}));
  EXPECT_EQ(made->clamped, (box{0, 80, 92, 230}));
}

TEST(BoxRule, TakesTheFallbackForLandmarksWithoutHeight) {
  auto shape = plain_face(100.f, 200.f, 150.f, 150.f);
  auto made = apply_box_rule(shape.landmarks, box{90, 60, 210, 230}, 640, 480);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->origin, box_origin::without_height);
  EXPECT_EQ(made->whole, (box{90, 60, 210, 240}));
  EXPECT_FALSE(apply_box_rule(shape.landmarks, {}, 640, 480));
}

TEST(BoxRule, TakesTheFallbackForLandmarksWithoutWidth) {
  auto shape = plain_face(150.f, 150.f, 150.f, 220.f);
  auto made = apply_box_rule(shape.landmarks, box{90, 60, 210, 230}, 640, 480);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->origin, box_origin::without_width);
  EXPECT_FALSE(apply_box_rule(shape.landmarks, {}, 640, 480));
}

TEST(BoxRule, GivesNothingForAFaceOutsideTheFrame) {
  EXPECT_FALSE(apply_box_rule(plain_face(700.f, 800.f, 150.f, 220.f).landmarks, {}, 640, 480));
  EXPECT_FALSE(apply_box_rule(plain_face(100.f, 200.f, 900.f, 990.f).landmarks, {}, 640, 480));
}

TEST(BoxRule, GivesNothingForPointsThatAreNoNumbers) {
  auto shape = plain_face(100.f, 200.f, 150.f, 220.f);
  shape.landmarks[40].x = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(apply_box_rule(shape.landmarks, {}, 640, 480));
  shape.landmarks[40].x = 3e9f;
  EXPECT_FALSE(apply_box_rule(shape.landmarks, {}, 640, 480));
}
