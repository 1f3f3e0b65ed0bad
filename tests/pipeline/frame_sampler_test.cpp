#include "pipeline/frame_sampler.hpp"

#include "pipeline/clip_reader.hpp"

#include "media.hpp"

using namespace musetalk;
using namespace musetalk::pipeline;

namespace {

media_limits patient() {
  auto result = media_limits{};
  result.max_probe_seconds = 30.;
  return result;
}

std::vector<image> samples_of(const std::string& name, int32_t count,
                              const media_limits& limits = patient()) {
  auto result = std::vector<image>{};
  const auto shown =
      sample_frames(media(name), limits, count, 2, [&](const image& x) { result.push_back(x); });
  EXPECT_EQ(static_cast<size_t>(shown), result.size());
  return result;
}

/// Numbers of the frames that the samples are, -1 for none of them.
std::vector<int> positions_of(const std::vector<image>& samples, const std::string& name) {
  auto result = std::vector<int>(samples.size(), -1);
  auto config = read_config{};
  config.limits = patient();
  auto reader = clip_reader{media(name), config};
  while (reader.advance()) {
    for (size_t i = 0; i < samples.size(); ++i) {
      if (*samples[i].pixels == *reader.picture().pixels)
        result[i] = static_cast<int>(reader.index());
    }
  }
  return result;
}

} // namespace

TEST(FrameSampler, SpreadsOverTheClip) {
  EXPECT_EQ(positions_of(samples_of("plain.mp4", 4), "plain.mp4"), (std::vector{13, 38, 63, 88}));
}

TEST(FrameSampler, SpreadsOverContainersWithoutIndexToo) {
  const auto at = positions_of(samples_of("whole.ts", 3), "whole.ts");
  ASSERT_EQ(at.size(), 3u);
  EXPECT_GE(at[0], 0);
  EXPECT_LT(at[0], at[1]);
  EXPECT_LT(at[1], at[2]);
  EXPECT_LE(at[2], 149);
}

TEST(FrameSampler, ShowsEachPictureOnce) {
  EXPECT_EQ(samples_of("one_frame.mp4", 7).size(), 1u);
  // Of five, the first one is over before the first sample is due.
  EXPECT_EQ(samples_of("coded1088.mp4", 7).size(), 4u);
}

TEST(FrameSampler, ShowsPicturesAsTheyAreSeen) {
  const auto samples = samples_of("wide_turned.mp4", 2);
  ASSERT_EQ(samples.size(), 2u);
  EXPECT_EQ(samples[0].width, 240);
  EXPECT_EQ(samples[0].height, 426);
}

TEST(FrameSampler, DecodesOnlyAPartOfALongClip) {
  auto limits = patient();
  limits.max_video_seconds = 700.;
  limits.max_frames = 700 * 25;
  // Key pictures are 50 s apart, so samples are found near them.
  EXPECT_EQ(samples_of("ten_minutes.mp4", 5, limits).size(), 5u);
}

TEST(FrameSampler, RefusesWhatTheProbeRefuses) {
  const auto sample = [](const char* name) {
    sample_frames(media(name), patient(), 3, 1, [](const image&) {});
  };
  EXPECT_EQ(error_of([&] { sample("text.mp4"); }).code(), errc::video_unreadable);
  EXPECT_EQ(error_of([&] { sample("ten_minutes.mp4"); }).code(), errc::video_too_long);
}
