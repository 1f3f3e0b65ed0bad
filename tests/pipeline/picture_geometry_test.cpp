#include "pipeline/picture_geometry.hpp"

#include <gtest/gtest.h>

#include <limits>

using namespace musetalk::pipeline;

TEST(PictureGeometry, KeepsSquarePixelsAsTheyAreOddOrNot) {
  const auto x = make_geometry(641, 481, 1, 1, 0);
  EXPECT_EQ(x.width(), 641);
  EXPECT_EQ(x.height(), 481);
  EXPECT_FALSE(x.stretched());
}

TEST(PictureGeometry, TakesAnUnknownAspectAsSquare) {
  EXPECT_FALSE(make_geometry(640, 480, 0, 1, 0).stretched());
  EXPECT_FALSE(make_geometry(640, 480, 4, 0, 0).stretched());
  EXPECT_FALSE(make_geometry(640, 480, -4, 3, 0).stretched());
}

TEST(PictureGeometry, WidensWidePixels) {
  const auto x = make_geometry(720, 576, 16, 15, 0);
  EXPECT_EQ(x.width(), 768);
  EXPECT_EQ(x.height(), 576);
}

TEST(PictureGeometry, HeightensTallPixels) {
  const auto x = make_geometry(720, 480, 8, 9, 0);
  EXPECT_EQ(x.width(), 720);
  EXPECT_EQ(x.height(), 540);
}

TEST(PictureGeometry, TurnsAfterMakingPixelsSquare) {
  const auto x = make_geometry(720, 576, 16, 15, 90);
  EXPECT_EQ(x.width(), 576);
  EXPECT_EQ(x.height(), 768);
  EXPECT_EQ(make_geometry(720, 576, 16, 15, 180).width(), 768);
}

TEST(PictureGeometry, StaysInRangeForAnyAspect) {
  const auto most = std::numeric_limits<int32_t>::max();
  EXPECT_EQ(make_geometry(most, 2, most, 1, 0).width(), 1 << 30);
  EXPECT_EQ(make_geometry(2, most, 1, most, 0).height(), 1 << 30);
}

TEST(PictureGeometry, RoundsTurnsToQuarters) {
  EXPECT_EQ(quarter_turn(0.), 0);
  EXPECT_EQ(quarter_turn(-90.), 90);
  EXPECT_EQ(quarter_turn(90.), 270);
  EXPECT_EQ(quarter_turn(180.), 180);
  EXPECT_EQ(quarter_turn(-180.), 180);
  EXPECT_EQ(quarter_turn(-88.), 90);
  EXPECT_EQ(quarter_turn(std::numeric_limits<double>::quiet_NaN()), 0);
}
