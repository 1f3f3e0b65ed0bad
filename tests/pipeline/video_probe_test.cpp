#include "pipeline/clip_preparer.hpp"

#include "media.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace musetalk;
using namespace musetalk::pipeline;
using ::testing::HasSubstr;
using ::testing::Not;

namespace {

/// A busy machine must not turn an answer into "too slow".
media_limits patient() {
  auto result = media_limits{};
  result.max_probe_seconds = 30.;
  return result;
}

error refusal(const std::string& name) {
  return error_of([&] { probe_video(media(name), patient()); });
}

} // namespace

TEST(VideoProbe, TellsWhatAPlainVideoIs) {
  const auto x = probe_video(media("sound.mp4"), patient());
  EXPECT_THAT(x.container, HasSubstr("mp4"));
  EXPECT_EQ(x.video_codec, "h264");
  EXPECT_EQ(x.width, 320);
  EXPECT_EQ(x.height, 240);
  EXPECT_NEAR(x.duration_s, 4., .001);
  EXPECT_NEAR(x.frame_rate, 25., .001);
  EXPECT_EQ(x.predicted_frames, 100);
  EXPECT_EQ(x.rotation_degrees, 0);
  EXPECT_TRUE(x.has_audio);
  EXPECT_FALSE(x.interlaced);
  EXPECT_EQ(x.bytes, std::filesystem::file_size(media("sound.mp4")));
}

TEST(VideoProbe, PredictsFramesAt25PerSecond) {
  EXPECT_EQ(probe_video(media("fps60.mkv"), patient()).predicted_frames, 50);
  EXPECT_EQ(probe_video(media("film.mp4"), patient()).predicted_frames, 75);
  EXPECT_EQ(probe_video(media("vfr.mp4"), patient()).predicted_frames, 100);
  EXPECT_EQ(probe_video(media("carphone.mp4"), patient()).predicted_frames, 100);
  EXPECT_EQ(probe_video(media("one_frame.mp4"), patient()).predicted_frames, 1);
}

TEST(VideoProbe, TakesEveryContainerOfTheList) {
  for (const auto* name : {"vp9.webm", "fps60.mkv", "fps12.avi", "stream.ts", "program.mpg",
                           "flash.flv", "edit.mov", "old.ogv"})
    EXPECT_GT(probe_video(media(name), patient()).predicted_frames, 40) << name;
}

TEST(VideoProbe, TellsSizesAsShown) {
  const auto turned = probe_video(media("turned90.mp4"), patient());
  EXPECT_EQ(turned.rotation_degrees, 90);
  EXPECT_EQ(turned.width, 240);
  EXPECT_EQ(turned.height, 320);
  const auto wide = probe_video(media("wide_pixels.mp4"), patient());
  EXPECT_EQ(wide.width, 426);
  EXPECT_EQ(wide.height, 240);
  EXPECT_TRUE(probe_video(media("interlaced.mp4"), patient()).interlaced);
}

TEST(VideoProbe, RefusesWhatIsNoVideo) {
  EXPECT_EQ(refusal("empty.mp4").code(), errc::video_empty);
  for (const auto* name : {"text.mp4", "still.png", "still.jpg", "moving.gif", "bare.h264"})
    EXPECT_EQ(refusal(name).code(), errc::video_unreadable) << name;
}

TEST(VideoProbe, RefusesListsThatPointElsewhere) {
  for (const auto* name : {"playlist.mp4", "concat.mp4", "dash.mp4"})
    EXPECT_EQ(refusal(name).code(), errc::video_unreadable) << name;
}

TEST(VideoProbe, RefusesSoundWithoutAMovingPicture) {
  EXPECT_EQ(refusal("sound_only.m4a").code(), errc::video_no_track);
  EXPECT_EQ(refusal("cover.m4a").code(), errc::video_no_track);
}

TEST(VideoProbe, NamesLengthAndLimitOfALongVideo) {
  const auto x = refusal("ten_minutes.mp4");
  EXPECT_EQ(x.code(), errc::video_too_long);
  EXPECT_EQ(x.detail(), "The video is 600.00 s long; the limit is 30.00 s.");
}

TEST(VideoProbe, RefusesTwoPicturesTwentyHoursApart) {
  EXPECT_EQ(refusal("time_bomb.mp4").code(), errc::video_too_long);
  EXPECT_EQ(refusal("time_bomb.mkv").code(), errc::video_too_long);
}

TEST(VideoProbe, RefusesTooManyStoredPictures) {
  EXPECT_EQ(refusal("rate_bomb.mp4").code(), errc::video_too_many_frames);
}

TEST(VideoProbe, RefusesTooManyFramesWithinTheTime) {
  auto limits = patient();
  limits.max_frames = 99;
  const auto x = error_of([&] { probe_video(media("plain.mp4"), limits); });
  EXPECT_EQ(x.code(), errc::video_too_many_frames);
  EXPECT_THAT(x.detail(), HasSubstr("100 frames"));
  limits.max_frames = 100;
  EXPECT_EQ(probe_video(media("plain.mp4"), limits).predicted_frames, 100);
}

TEST(VideoProbe, RefusesHugePicturesByTheirOwnSize) {
  const auto declared =
      std::filesystem::path{MUSETALK_SOURCE_DIR} / "tests" / "data" / "picture_16000x16000.ts";
  const auto x = error_of([&] { probe_video(declared, patient()); });
  EXPECT_EQ(x.code(), errc::video_too_large);
  EXPECT_THAT(x.detail(), HasSubstr("16000 x 16000"));
  EXPECT_EQ(refusal("aspect_bomb.mp4").code(), errc::video_too_large);
}

TEST(VideoProbe, RefusesASizeThatOnlyTheHeaderHas) {
  // The sample description's size, right behind `avc1` and its 24 bytes.
  auto bytes = read_bytes(media("plain.mp4"));
  const auto tag = std::string{"avc1"};
  auto at = bytes.begin();
  auto found = 0;
  while ((at = std::search(at, bytes.end(), tag.begin(), tag.end())) != bytes.end()) {
    if (bytes.end() - at > 32 && at[28] == 320 / 256 && at[29] == 320 % 256) {
      at[28] = at[30] = 16000 / 256;
      at[29] = at[31] = 16000 % 256;
      ++found;
    }
    ++at;
  }
  ASSERT_EQ(found, 1);
  const auto folder = scratch_folder{};
  write_bytes(folder / "liar.mp4", bytes);
  EXPECT_EQ(error_of([&] { probe_video(folder / "liar.mp4", patient()); }).code(),
            errc::video_too_large);
}

TEST(VideoProbe, RefusesTinyPictures) {
  const auto x = refusal("one_pixel.mkv");
  EXPECT_EQ(x.code(), errc::video_too_small);
  EXPECT_THAT(x.detail(), HasSubstr("1 x 1"));
  EXPECT_THAT(x.detail(), HasSubstr("64"));
}

TEST(VideoProbe, TellsATornFileAndHowMuchIsThere) {
  const auto front = refusal("torn_front.mp4");
  EXPECT_EQ(front.code(), errc::video_truncated);
  EXPECT_THAT(front.detail(), HasSubstr("promises 150 frames"));
  EXPECT_EQ(refusal("torn_back.mp4").code(), errc::video_truncated);
  EXPECT_EQ(refusal("torn.mkv").code(), errc::video_truncated);
  EXPECT_EQ(refusal("torn.avi").code(), errc::video_truncated);
}

TEST(VideoProbe, OpensPlainFilesOnly) {
  const auto folder = scratch_folder{};
  std::filesystem::create_symlink(media("plain.mp4"), folder / "link.mp4");
  ASSERT_EQ(::mkfifo((folder / "pipe.mp4").c_str(), 0600), 0);
  std::filesystem::create_directory(folder / "folder.mp4");
  for (const auto* name : {"link.mp4", "pipe.mp4", "folder.mp4", "absent.mp4"}) {
    const auto x = error_of([&] { probe_video(folder / name, patient()); });
    EXPECT_EQ(x.code(), errc::video_path_not_found) << name;
    EXPECT_THAT(x.detail(), Not(HasSubstr("/"))) << name;
  }
}

TEST(VideoProbe, GivesUpWhenTimeIsOver) {
  auto limits = patient();
  limits.max_probe_seconds = 0.;
  const auto x = error_of([&] { probe_video(media("plain.mp4"), limits); });
  EXPECT_EQ(x.code(), errc::video_unreadable);
  EXPECT_THAT(x.detail(), HasSubstr("0.0 s"));
}

TEST(VideoProbe, KeepsTheLibrarysWordsOutOfTheAnswer) {
  const auto x = refusal("text.mp4");
  EXPECT_THAT(x.detail(), Not(HasSubstr("avformat")));
  EXPECT_THAT(x.what(), HasSubstr("avformat_open_input"));
}
