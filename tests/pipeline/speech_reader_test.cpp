#include "pipeline/speech_reader.hpp"

#include "media.hpp"

#include <bit>
#include <cmath>
#include <limits>

using namespace musetalk;
using namespace musetalk::pipeline;

namespace {

constexpr double pi = 3.14159265358979323846;

speech_limits patient() {
  auto result = speech_limits{};
  result.max_probe_seconds = 30.;
  return result;
}

std::vector<float> read_all(const std::filesystem::path& path, size_t at_once = 16'000) {
  auto reader = speech_reader{path, patient()};
  auto result = std::vector<float>{};
  for (auto part = reader.next(at_once); !part.empty(); part = reader.next(at_once))
    result.insert(result.end(), part.begin(), part.end());
  return result;
}

/// Where the tone begins: the first tenth of its height.
double onset_s(const std::vector<float>& samples) {
  const auto found =
      std::find_if(samples.begin(), samples.end(), [](float x) { return std::abs(x) > 0.1f; });
  return static_cast<double>(found - samples.begin()) / speech_rate_hz;
}

/// A wave file of 32-bit floats, mono, 16 kHz.
void write_wave(const std::filesystem::path& path, const std::vector<float>& samples) {
  auto bytes = std::vector<uint8_t>{};
  const auto text = [&](const char* x) {
    bytes.insert(bytes.end(), x, x + 4);
  };
  const auto number = [&](uint32_t x, int count) {
    for (auto i = 0; i < count; ++i)
      bytes.push_back(static_cast<uint8_t>(x >> (8 * i)));
  };
  const auto data_bytes = static_cast<uint32_t>(samples.size() * 4);
  text("RIFF"), number(36 + data_bytes, 4), text("WAVE"), text("fmt "), number(16, 4);
  number(3, 2), number(1, 2), number(16'000, 4), number(64'000, 4), number(4, 2), number(32, 2);
  text("data"), number(data_bytes, 4);
  for (const auto x : samples)
    number(std::bit_cast<uint32_t>(x), 4);
  write_bytes(path, bytes);
}

} // namespace

TEST(SpeechReader, GivesSamplesThatNeedNothingAsTheyAre) {
  const auto folder = scratch_folder{};
  auto samples = std::vector<float>(5000);
  for (auto i = size_t{0}; i < samples.size(); ++i)
    samples[i] = static_cast<float>(std::sin(0.01 * static_cast<double>(i)) / 3.);
  write_wave(folder / "a.wav", samples);
  EXPECT_EQ(read_all(folder / "a.wav"), samples);
}

TEST(SpeechReader, GivesTheSameInParts) {
  EXPECT_EQ(read_all(media("beep.mp3"), 777), read_all(media("beep.mp3"), 1'000'000));
}

TEST(SpeechReader, TakesTheMeanOfTheChannels) {
  const auto samples = read_all(media("beep.wav"));
  ASSERT_EQ(samples.size(), 48'000u);
  // The tone of 0.5 is in one channel of two; well inside it the resampler is at rest.
  for (auto i = 17'600; i < 22'400; ++i)
    ASSERT_NEAR(samples[static_cast<size_t>(i)], 0.25 * std::sin(2 * pi * 1000 * i / 16'000.), 2e-4)
        << i;
  EXPECT_NEAR(samples[8'000], 0., 1e-6);
}

TEST(SpeechReader, HearsTheSameTimeInEveryForm) {
  for (const auto* name : {"beep.wav", "beep.flac", "beep.m4a", "beep.mp3", "beep.ogg", "beep.opus",
                           "beep.mka", "beep.mp4", "beep_8bit.wav"}) {
    const auto samples = read_all(media(name));
    EXPECT_NEAR(onset_s(samples), 1., 0.002) << name;
    EXPECT_NEAR(static_cast<double>(samples.size()) / speech_rate_hz, 3., 0.05) << name;
  }
}

TEST(SpeechReader, HearsABareStreamWithItsLeadIn) {
  // ADTS cannot say how many samples the encoder put before the sound.
  EXPECT_NEAR(onset_s(read_all(media("beep.adts"))), 1. + 1024. / 48'000., 0.002);
}

TEST(SpeechReader, ReadsTheSoundOfAVideo) {
  auto reader = speech_reader{media("sound.mp4"), patient()};
  EXPECT_EQ(reader.info().codec, "aac");
  EXPECT_EQ(reader.info().rate_hz, 44'100);
  EXPECT_NEAR(reader.info().duration_s, 4., 0.05);
}

TEST(SpeechReader, ReadsSilence) {
  const auto samples = read_all(media("silence.wav"));
  EXPECT_EQ(samples.size(), 32'000u);
  EXPECT_TRUE(std::all_of(samples.begin(), samples.end(), [](float x) { return x == 0.f; }));
}

TEST(SpeechReader, RefusesWhatIsNoSound) {
  for (const auto* name : {"text.mp4", "still.png", "playlist.mp4", "concat.mp4"})
    EXPECT_EQ(error_of([&] { read_all(media(name)); }).code(), errc::audio_unreadable) << name;
}

TEST(SpeechReader, RefusesAVideoWithoutSound) {
  EXPECT_EQ(error_of([] { read_all(media("plain.mp4")); }).code(), errc::audio_no_track);
}

TEST(SpeechReader, RefusesAFileWithoutASample) {
  EXPECT_EQ(error_of([] { read_all(media("no_samples.wav")); }).code(), errc::audio_too_short);
}

TEST(SpeechReader, RefusesThreeHoursByTheHeader) {
  const auto why = error_of([] { read_all(media("three_hours.flac")); });
  EXPECT_EQ(why.code(), errc::audio_too_long);
  EXPECT_EQ(why.detail(), "The sound is 10800.00 s long; the limit is 600.00 s.");
}

TEST(SpeechReader, RefusesMoreThanItsHeaderSays) {
  auto limits = patient();
  limits.max_seconds = 2.;
  // A bare stream has no header that could tell its length.
  const auto why = error_of([&] {
    auto reader = speech_reader{media("beep.adts"), limits};
    reader.next(1'000'000);
  });
  EXPECT_EQ(why.code(), errc::audio_too_long);
}

TEST(SpeechReader, RefusesSamplesThatAreNoNumbers) {
  const auto folder = scratch_folder{};
  for (const auto bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    auto samples = std::vector<float>(32'000, 0.1f);
    samples[20'000] = bad;
    write_wave(folder / "bad.wav", samples);
    const auto why = error_of([&] { read_all(folder / "bad.wav"); });
    EXPECT_EQ(why.code(), errc::audio_damaged);
    EXPECT_EQ(why.detail(), "The sound holds a sample that is no number, at 1.25 s.");
    std::filesystem::remove(folder / "bad.wav");
  }
}

TEST(SpeechReader, ReadsWhatIsLeftOfATornFile) {
  const auto samples = read_all(media("torn.mp3"));
  EXPECT_NEAR(onset_s(samples), 1., 0.002);
  EXPECT_LT(samples.size(), 40'000u);
}
