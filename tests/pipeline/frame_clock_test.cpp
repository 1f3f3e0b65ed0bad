#include "pipeline/frame_clock.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

using namespace musetalk::pipeline;

namespace {

/// Numbers of the pictures that 25 slots per second show of a clip with these starts.
std::vector<int> shown(const std::vector<double>& starts_s, double end_s) {
  auto clock = frame_clock{};
  auto result = std::vector<int>{};
  for (auto i = 0; i < static_cast<int>(starts_s.size()); ++i) {
    const auto times = clock.push(std::lround(starts_s[static_cast<size_t>(i)] * 25.));
    result.insert(result.end(), static_cast<size_t>(times), i - 1);
  }
  const auto times = clock.finish(std::lround(end_s * 25.));
  result.insert(result.end(), static_cast<size_t>(times), static_cast<int>(starts_s.size()) - 1);
  return result;
}

} // namespace

TEST(FrameClock, PassesItsOwnRateOneToOne) {
  EXPECT_EQ(shown({0., .04, .08, .12}, .16), (std::vector{0, 1, 2, 3}));
}

TEST(FrameClock, RepeatsPicturesOfASlowClip) {
  EXPECT_EQ(shown({0., .08, .16}, .24), (std::vector{0, 0, 1, 1, 2, 2}));
}

TEST(FrameClock, DropsPicturesOfAFastClip) {
  EXPECT_EQ(shown({0., .02, .04, .06, .08, .10}, .12), (std::vector{0, 2, 4}));
}

TEST(FrameClock, KeepsThePictureBeforeAHole) {
  EXPECT_EQ(shown({0., .04, .20}, .24), (std::vector{0, 1, 1, 1, 1, 2}));
}

TEST(FrameClock, ForgivesSmallErrorsOfTimeStamps) {
  EXPECT_EQ(shown({0., .041, .079, .121}, .16), (std::vector{0, 1, 2, 3}));
}

TEST(FrameClock, TakesTimeThatGoesBackwardsAsStandingStill) {
  EXPECT_EQ(shown({0., .08, .04, .12}, .16), (std::vector{0, 0, 2, 3}));
}

TEST(FrameClock, ShowsAClipOfOnePictureAtLeastOnce) {
  EXPECT_EQ(shown({0.}, 0.), (std::vector{0}));
}

TEST(FrameClock, ShowsNothingOfNothing) {
  EXPECT_TRUE(shown({}, 1.).empty());
}
