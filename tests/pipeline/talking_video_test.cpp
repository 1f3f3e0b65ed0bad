#include "pipeline/talking_video.hpp"

#include "pipeline/clip_preparer.hpp"
#include "pipeline/clip_reader.hpp"
#include "pipeline/speech_reader.hpp"
#include "tests/pipeline/media.hpp"

#include <cmath>

using namespace musetalk;
using namespace musetalk::pipeline;

namespace {

constexpr int32_t beep_frame = 25; // the tone begins after one second

image gray(int32_t width, int32_t height, uint8_t value) {
  return {width, height, 3,
          share(std::vector<uint8_t>(static_cast<size_t>(width) * height * 3, value))};
}

speech_limits patient() {
  auto result = speech_limits{};
  result.max_probe_seconds = 30.;
  return result;
}

/// Dark until the tone begins, bright from then on.
void write_film(const std::filesystem::path& path, const std::string& speech, int32_t width,
                int32_t height) {
  auto film = talking_video{path, media(speech), patient(), width, height, {}};
  for (auto i = 0; i < 75; ++i)
    film.write(gray(width, height, i < beep_frame ? 20 : 220));
  film.finish();
}

int64_t first_bright_frame(const std::filesystem::path& path) {
  auto config = read_config{};
  config.limits.max_probe_seconds = 30.;
  auto reader = clip_reader{path, config};
  while (reader.advance())
    if (reader.picture().pixels->front() > 120)
      return reader.index();
  return -1;
}

} // namespace

TEST(TalkingVideo, ShowsAndSoundsAtTheSameTime) {
  const auto folder = scratch_folder{};
  for (const auto* speech : {"beep.wav", "beep.m4a", "beep.mp3", "beep.opus", "beep.mp4"}) {
    const auto path = folder / (std::string{speech} + ".film.mp4");
    write_film(path, speech, 128, 96);
    EXPECT_EQ(first_bright_frame(path), beep_frame) << speech;
    const auto heard = speech_reader{path, patient()}.next(48'000);
    const auto onset =
        std::find_if(heard.begin(), heard.end(), [](float x) { return std::abs(x) > 0.1f; }) -
        heard.begin();
    // A frame lasts 640 samples; the codec's own ringing takes a few.
    EXPECT_NEAR(static_cast<double>(onset), 16'000., 64.) << speech;
  }
}

TEST(TalkingVideo, HasEveryFrame) {
  const auto folder = scratch_folder{};
  write_film(folder / "film.mp4", "beep.wav", 128, 96);
  auto limits = media_limits{};
  limits.max_probe_seconds = 30.;
  const auto info = probe_video(folder / "film.mp4", limits);
  EXPECT_EQ(info.predicted_frames, 75);
  EXPECT_EQ(info.video_codec, "h264");
  EXPECT_TRUE(info.has_audio);
}

TEST(TalkingVideo, TakesOddSizes) {
  const auto folder = scratch_folder{};
  write_film(folder / "film.mp4", "silence.wav", 129, 97);
  EXPECT_EQ(first_bright_frame(folder / "film.mp4"), beep_frame);
}

TEST(TalkingVideo, SaysWhatTheSpeechLacks) {
  const auto folder = scratch_folder{};
  const auto why = error_of(
      [&] { talking_video{folder / "film.mp4", media("plain.mp4"), patient(), 128, 96, {}}; });
  EXPECT_EQ(why.code(), errc::audio_no_track);
}
