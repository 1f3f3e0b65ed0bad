#include "models/audio_windows.hpp"

#include "errors/error.hpp"
#include "tests/models/golden.hpp"

#include <gtest/gtest.h>

using namespace musetalk::models;
using namespace musetalk::models::testing;

TEST(AudioWindows, EqualTheStatedPlans) {
  auto count = 0;
  for (const auto& folder : golden_cases("whisper")) {
    auto plans = json_value::parse(text_of(folder / "window_plans.json"));
    for (const auto& x : plans.items()) {
      auto whole = [&](const char* key) {
        return x.at(key).integer();
      };
      auto plan = plan_windows(whole("samples"), whole("fps"), whole("left"), whole("right"));
      SCOPED_TRACE("samples " + std::to_string(whole("samples")) + ", fps " +
                   std::to_string(whole("fps")));
      EXPECT_EQ(plan.frames, whole("num_frames"));
      EXPECT_EQ(plan.steps, whole("actual_steps"));
      EXPECT_EQ(plan.zeros_before, whole("zeros_before"));
      EXPECT_EQ(plan.zeros_after, whole("zeros_after"));
      EXPECT_EQ(plan.window, whole("window"));
      EXPECT_EQ(plan.too_short(), whole("too_short_windows"));
      auto starts = std::vector<int64_t>{};
      for (const auto& start : x.at("starts").items())
        starts.push_back(start.integer());
      EXPECT_EQ(plan.starts, starts);
      ++count;
    }
  }
  EXPECT_GE(count, 12);
}

TEST(AudioWindows, GiveEightSecondsTwoHundredFrames) {
  auto plan = plan_windows(128'000, 25, 2, 2);
  EXPECT_EQ(plan.frames, 200);
  EXPECT_EQ(plan.steps, 400);
}

TEST(AudioWindows, AreEmptyForLessThanAFrame) {
  EXPECT_EQ(plan_windows(0, 25, 2, 2).frames, 0);
  EXPECT_EQ(plan_windows(639, 25, 2, 2).frames, 0);
}

TEST(AudioWindows, RefuseWhatNoClipHas) {
  EXPECT_THROW(plan_windows(-1, 25, 2, 2), musetalk::error);
  EXPECT_THROW(plan_windows(1, 0, 2, 2), musetalk::error);
  EXPECT_THROW(plan_windows(1, 25, 1000, 2), musetalk::error);
}
