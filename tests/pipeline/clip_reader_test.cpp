#include "pipeline/clip_reader.hpp"

#include "pipeline/clip_preparer.hpp"

#include "media.hpp"

#include <gmock/gmock.h>

extern "C" {
#include <libavutil/md5.h>
}

#include <array>
#include <cstring>
#include <random>
#include <sstream>

using namespace musetalk;
using namespace musetalk::pipeline;
using ::testing::HasSubstr;

namespace {

read_config patient() {
  auto result = read_config{};
  result.limits.max_probe_seconds = 30.;
  result.threads = 2;
  return result;
}

int64_t count_frames(clip_reader& reader) {
  auto result = int64_t{0};
  while (reader.advance())
    EXPECT_EQ(reader.index(), result++);
  return result;
}

int64_t count_frames(const std::string& name) {
  auto reader = clip_reader{media(name), patient()};
  return count_frames(reader);
}

std::string md5_of(const image& x) {
  auto sum = std::array<uint8_t, 16>{};
  av_md5_sum(sum.data(), x.pixels->data(), x.pixels->size());
  auto result = std::string{};
  for (const auto byte : sum) {
    result += "0123456789abcdef"[byte >> 4];
    result += "0123456789abcdef"[byte & 15];
  }
  return result;
}

/// Last column of ffmpeg's `framemd5`.
std::vector<std::string> reference_sums(const std::string& name) {
  auto in = std::ifstream{media(name + ".md5")};
  auto result = std::vector<std::string>{};
  for (auto line = std::string{}; std::getline(in, line);) {
    if (!line.empty() && line.front() != '#')
      result.push_back(line.substr(line.rfind(' ') + 1));
  }
  return result;
}

} // namespace

// -- the same frames as ffmpeg at 25 frames per second ----------------------------

class SameFramesAsFfmpeg : public ::testing::TestWithParam<const char*> {};

TEST_P(SameFramesAsFfmpeg, SumBySum) {
  const auto expected = reference_sums(GetParam());
  ASSERT_GT(expected.size(), 4u);
  auto reader = clip_reader{media(GetParam()), patient()};
  auto got = std::vector<std::string>{};
  while (reader.advance())
    got.push_back(md5_of(reader.picture()));
  EXPECT_EQ(got, expected);
}

INSTANTIATE_TEST_SUITE_P(AtAnyRate, SameFramesAsFfmpeg,
                         ::testing::Values("plain.mp4", "coded1088.mp4", "vp9.webm", "stream.ts",
                                           "program.mpg", "flash.flv", "edit.mov", "old.ogv",
                                           "hevc.mp4", "tenbit.mp4", "odd444.mkv", "odd420.webm",
                                           "full_range.mov", "tagged.mp4", "turned90.mp4",
                                           "turned180.mp4", "turned270.mp4", "fps60.mkv",
                                           "fps12.avi", "film.mp4", "vfr.mp4", "late_start.mkv",
                                           "carphone720.mp4", "interlaced.mp4"));

// -- counts -----------------------------------------------------------------------

TEST(ClipReader, LosesNoFrame) {
  EXPECT_EQ(count_frames("plain.mp4"), 100);
  EXPECT_EQ(count_frames("one_frame.mp4"), 1);
  EXPECT_EQ(count_frames("fps60.mkv"), 50);
  EXPECT_EQ(count_frames("film.mp4"), 75);
  EXPECT_EQ(count_frames("vfr.mp4"), 100);
  EXPECT_EQ(count_frames("carphone.mp4"), 100);
  EXPECT_EQ(count_frames("interlaced.mp4"), 50);
  EXPECT_EQ(count_frames("whole.ts"), 150);
  EXPECT_EQ(count_frames("fragments.mp4"), 100);
}

TEST(ClipReader, BeginsAtTheFirstKeyPicture) {
  auto reader = clip_reader{media("mid_group.ts"), patient()};
  EXPECT_EQ(count_frames(reader), 50);
  EXPECT_EQ(reader.counts().damaged, 0);
}

TEST(ClipReader, GivesTheSameWithAnyNumberOfThreads) {
  auto one = patient();
  one.threads = 1;
  auto many = patient();
  many.threads = 8;
  auto a = clip_reader{media("carphone720.mp4"), one};
  auto b = clip_reader{media("carphone720.mp4"), many};
  while (a.advance()) {
    ASSERT_TRUE(b.advance());
    ASSERT_EQ(*a.picture().pixels, *b.picture().pixels);
  }
  EXPECT_FALSE(b.advance());
}

TEST(ClipReader, SharesTheBytesOfARepeatedFrame) {
  auto reader = clip_reader{media("fps12.avi"), patient()};
  ASSERT_TRUE(reader.advance());
  const auto first = reader.picture();
  ASSERT_TRUE(reader.advance());
  EXPECT_EQ(first.pixels, reader.picture().pixels);
}

// -- shapes -----------------------------------------------------------------------

TEST(ClipReader, MakesPixelsSquareBeforeItTurns) {
  auto reader = clip_reader{media("wide_turned.mp4"), patient()};
  ASSERT_TRUE(reader.advance());
  EXPECT_EQ(reader.picture().width, 240);
  EXPECT_EQ(reader.picture().height, 426);
  EXPECT_EQ(reader.info().width, 240);
  EXPECT_EQ(reader.info().height, 426);
}

TEST(ClipReader, KeepsOneSizeWhenTheStreamChangesIts) {
  auto reader = clip_reader{media("two_sizes.ts"), patient()};
  auto frames = 0;
  for (; reader.advance(); ++frames) {
    ASSERT_EQ(reader.picture().width, 320);
    ASSERT_EQ(reader.picture().height, 240);
  }
  EXPECT_EQ(frames, 50);
}

TEST(ClipReader, DecodesNoPictureThatGrowsBeyondTheLimit) {
  auto config = patient();
  config.limits.max_pixels = 320 * 240;
  auto reader = clip_reader{media("two_sizes.ts"), config};
  const auto x = error_of([&] { count_frames(reader); });
  EXPECT_TRUE(x.code() == errc::video_too_large || x.code() == errc::video_damaged)
      << to_string(x.code());
  // The codec refuses it before it allocates; what was sound before stays.
  EXPECT_LE(reader.counts().pictures, 26);
}

// -- limits that the header hides ---------------------------------------------------

namespace {

/// The Matroska file with another length in its header, milliseconds.
void write_with_duration(const std::string& name, double duration_ms,
                         const std::filesystem::path& to) {
  auto bytes = read_bytes(media(name));
  const auto tag = std::array<uint8_t, 3>{0x44, 0x89, 0x88}; // `Duration`, 8 bytes
  const auto at = std::search(bytes.begin(), bytes.end(), tag.begin(), tag.end());
  ASSERT_NE(at, bytes.end());
  auto bits = uint64_t{};
  std::memcpy(&bits, &duration_ms, sizeof bits);
  for (auto i = 0; i < 8; ++i)
    at[3 + i] = static_cast<uint8_t>(bits >> (56 - 8 * i));
  write_bytes(to, bytes);
}

/// The MP4 file with single bits of its pictures turned over.
void write_with_flipped_bits(const std::string& name, int flips, const std::filesystem::path& to) {
  auto bytes = read_bytes(media(name));
  const auto tag = std::string{"mdat"};
  const auto end_tag = std::string{"moov"};
  const auto begin = std::search(bytes.begin(), bytes.end(), tag.begin(), tag.end()) + 4;
  const auto end = std::search(begin, bytes.end(), end_tag.begin(), end_tag.end()) - 4;
  ASSERT_GT(end - begin, 1000);
  auto random = std::mt19937{1};
  for (auto i = 0; i < flips; ++i) {
    const auto at = begin + static_cast<ptrdiff_t>(random() % static_cast<size_t>(end - begin));
    *at = static_cast<uint8_t>(*at ^ (1u << (random() % 8)));
  }
  write_bytes(to, bytes);
}

} // namespace

TEST(ClipReader, StopsAtTheLengthThatTheHeaderHides) {
  const auto folder = scratch_folder{};
  write_with_duration("time_bomb.mkv", 80., folder / "bomb.mkv");
  auto reader = clip_reader{folder / "bomb.mkv", patient()};
  EXPECT_LT(reader.info().duration_s, 1.);
  const auto x = error_of([&] { count_frames(reader); });
  EXPECT_EQ(x.code(), errc::video_too_long);
  EXPECT_LE(reader.index(), 1);
  // The scan before the work finds it as well.
  EXPECT_EQ(error_of([&] { probe_video(folder / "bomb.mkv", patient().limits); }).code(),
            errc::video_too_long);
}

TEST(ClipReader, StopsAtTheNumberOfFramesThatTheHeaderHides) {
  const auto folder = scratch_folder{};
  write_with_duration("fps60.mkv", 800., folder / "more.mkv");
  auto config = patient();
  config.limits.max_frames = 20;
  auto reader = clip_reader{folder / "more.mkv", config};
  const auto x = error_of([&] { count_frames(reader); });
  EXPECT_EQ(x.code(), errc::video_too_many_frames);
  EXPECT_LE(reader.index(), 20);
}

// -- damage -------------------------------------------------------------------------

TEST(ClipReader, ForgivesAFewDamagedFramesAndCountsThem) {
  const auto folder = scratch_folder{};
  write_with_flipped_bits("plain.mp4", 10, folder / "flipped.mp4");
  auto config = patient();
  config.max_damaged_share = .5;
  auto reader = clip_reader{folder / "flipped.mp4", config};
  EXPECT_EQ(count_frames(reader), 100);
  EXPECT_GE(reader.counts().damaged, 1);
  EXPECT_LE(reader.counts().damaged, 10);
}

TEST(ClipReader, RefusesTooManyDamagedFrames) {
  const auto folder = scratch_folder{};
  write_with_flipped_bits("plain.mp4", 400, folder / "flipped.mp4");
  auto reader = clip_reader{folder / "flipped.mp4", patient()};
  const auto x = error_of([&] { count_frames(reader); });
  EXPECT_EQ(x.code(), errc::video_damaged);
  EXPECT_THAT(x.detail(), HasSubstr("of 100 frames cannot be decoded; at most 2.0 %"));
}

TEST(ClipReader, TellsATornFile) {
  auto reader = clip_reader{media("torn_front.mp4"), patient()};
  const auto x = error_of([&] { count_frames(reader); });
  EXPECT_EQ(x.code(), errc::video_truncated);
  EXPECT_THAT(x.detail(), HasSubstr("promises 150 frames"));
}

// -- sound ----------------------------------------------------------------------------

TEST(ClipReader, CollectsSoundOnlyWhenAsked) {
  auto silent = clip_reader{media("sound.mp4"), patient()};
  auto loud = clip_reader{media("sound.mp4"), patient()};
  loud.keep_sound();
  auto packets = size_t{0};
  while (silent.advance() && loud.advance()) {
    EXPECT_TRUE(silent.take_sound().empty());
    packets += loud.take_sound().size();
  }
  // 4 s in frames of 1024 samples.
  EXPECT_NEAR(static_cast<double>(packets), 4. * 44100. / 1024., 3.);
}
