#include "pipeline/heard_windows.hpp"

#include "errors/error.hpp"
#include "models/audio_encoder.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <span>

using namespace musetalk;
using namespace musetalk::pipeline;

namespace {

/// Sound that differs everywhere.
std::vector<float> chirp(size_t samples) {
  auto result = std::vector<float>(samples);
  for (auto i = size_t{0}; i < samples; ++i)
    result[i] = static_cast<float>(0.4 * std::sin(1e-7 * static_cast<double>(i) * i));
  return result;
}

heard_sound heard(const models::audio_states& x) {
  return {x.steps, x.layers, x.channels, std::make_shared<const std::vector<float>>(x.values)};
}

/// Segments whose every value is the number of its step.
heard_sound counted(int64_t first, int64_t steps) {
  auto values = std::vector<float>(static_cast<size_t>(steps) * 2);
  for (auto i = size_t{0}; i < values.size(); ++i)
    values[i] = static_cast<float>(first + static_cast<int64_t>(i) / 2);
  return {steps, 1, 2, std::make_shared<const std::vector<float>>(std::move(values))};
}

/// The steps that a frame hears.
std::vector<float> steps_of(const floats_ptr& window) {
  auto result = std::vector<float>{};
  for (auto i = size_t{0}; i < window->size(); i += 2)
    result.push_back((*window)[i]);
  return result;
}

using steps = std::vector<float>;

} // namespace

TEST(HeardWindows, ReachFromTwoFramesBeforeToTwoBehind) {
  auto windows = heard_windows{16'000, 25};
  EXPECT_EQ(windows.frames(), 25);
  EXPECT_TRUE(windows.wants_more(0));
  windows.push(counted(0, 1500));
  EXPECT_FALSE(windows.wants_more(24));
  EXPECT_EQ(steps_of(windows.cut(0)), (steps{0, 0, 0, 0, 0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(steps_of(windows.cut(10)), (steps{16, 17, 18, 19, 20, 21, 22, 23, 24, 25}));
  // A second has fifty steps; what follows is silence, not what the network heard in it.
  EXPECT_EQ(steps_of(windows.cut(24)), (steps{44, 45, 46, 47, 48, 49, 0, 0, 0, 0}));
}

TEST(HeardWindows, GoAcrossSegments) {
  auto windows = heard_windows{40 * 16'000, 25};
  windows.push(counted(0, 1500));
  EXPECT_FALSE(windows.wants_more(747)) << "steps 1490 to 1499";
  EXPECT_TRUE(windows.wants_more(748));
  windows.push(counted(1500, 1500));
  windows.forget_before(750);
  EXPECT_EQ(steps_of(windows.cut(750)),
            (steps{1496, 1497, 1498, 1499, 1500, 1501, 1502, 1503, 1504, 1505}));
  windows.forget_before(752);
  EXPECT_EQ(steps_of(windows.cut(752)).front(), 1500.f);
}

TEST(HeardWindows, AreThoseOfTheWholeSoundAtOnce) {
  auto options = models::load_options{};
  options.synthetic = true;
  options.device = "cpu";
  auto encoder = models::make_audio_encoder(options);
  const auto sound = chirp(segment_samples + 24'111);
  const auto whole = encoder->encode(sound, 25);
  auto windows = heard_windows{static_cast<int64_t>(sound.size()), 25};
  windows.push(heard(encoder->listen(std::span{sound}.first(segment_samples))));
  windows.push(heard(encoder->listen(std::span{sound}.subspan(segment_samples))));
  ASSERT_EQ(windows.frames(), whole.frames);
  const auto values = static_cast<size_t>(whole.tokens * whole.channels);
  for (auto frame = int64_t{0}; frame < whole.frames; ++frame) {
    const auto from = whole.values.begin() + static_cast<ptrdiff_t>(frame * values);
    ASSERT_EQ(*windows.cut(frame), std::vector<float>(from, from + static_cast<ptrdiff_t>(values)))
        << frame;
  }
}

TEST(HeardWindows, RefuseAnotherForm) {
  auto windows = heard_windows{40 * 16'000, 25};
  windows.push(counted(0, 1500));
  auto wide = counted(1500, 1500);
  wide.layers = 2;
  wide.channels = 1;
  EXPECT_THROW(windows.push(wide), error);
  auto torn = counted(1500, 1500);
  torn.steps = 1499;
  EXPECT_THROW(windows.push(torn), error);
  EXPECT_THROW(windows.cut(749), error) << "not heard yet";
}
