#include "pipeline/clip_reader.hpp"
#include "pipeline/video_writer.hpp"

#include "media.hpp"

#include <opencv2/core.hpp>

#include <csignal>
#include <optional>
#include <sys/resource.h>

using namespace musetalk;
using namespace musetalk::pipeline;

namespace {

read_config patient() {
  auto result = read_config{};
  result.limits.max_probe_seconds = 30.;
  result.threads = 2;
  return result;
}

/// What `video.mp4` of a clip is like.
struct written {
  media_info info;
  AVRational rate{};
  int width = 0;
  int height = 0;
  int format = -1;
  int profile_bits = 0;
  AVColorRange range{};
  AVColorPrimaries primaries{};
  AVColorTransferCharacteristic transfer{};
  AVColorSpace space{};
  AVCodecID sound = AV_CODEC_ID_NONE;
  double sound_s = 0.;
  int64_t packets = 0;
};

written look_at(const std::filesystem::path& path) {
  const auto file = media_file{path, patient().limits};
  const auto& video = *file.video().codecpar;
  auto result = written{};
  result.info = file.info();
  result.rate = file.video().avg_frame_rate;
  result.width = video.width;
  result.height = video.height;
  result.format = video.format;
  result.range = video.color_range;
  result.primaries = video.color_primaries;
  result.transfer = video.color_trc;
  result.space = video.color_space;
  result.packets = file.promised_packets();
  if (const auto* sound = file.audio(); sound != nullptr) {
    result.sound = sound->codecpar->codec_id;
    result.sound_s = static_cast<double>(sound->duration) * av_q2d(sound->time_base);
  }
  return result;
}

/// Writes a whole clip; `repaint` gives the pictures as BGR instead of as decoded.
int64_t convert(const std::filesystem::path& source, const std::filesystem::path& target,
                bool repaint = false) {
  auto reader = clip_reader{source, patient()};
  const auto* sound = reader.file().audio();
  reader.keep_sound();
  auto writer = std::optional<video_writer>{};
  auto config = write_config{};
  config.threads = 2;
  while (reader.advance()) {
    if (!writer)
      writer.emplace(target, reader.geometry(), sound, config);
    if (repaint)
      writer->write(reader.picture());
    else
      writer->write(reader.stored());
    for (const auto& x : reader.take_sound())
      writer->write_sound(
          *x, av_rescale_q(reader.start(), reader.file().video().time_base, sound->time_base));
  }
  writer->finish();
  return reader.index() + 1;
}

written converted(const std::string& name, bool repaint = false) {
  const auto folder = scratch_folder{};
  const auto frames = convert(media(name), folder / "video.mp4", repaint);
  auto result = look_at(folder / "video.mp4");
  EXPECT_EQ(result.packets, frames) << name;
  EXPECT_EQ(result.info.predicted_frames, frames) << name;
  EXPECT_EQ(result.info.video_codec, "h264") << name;
  EXPECT_EQ(av_cmp_q(result.rate, {25, 1}), 0) << name;
  EXPECT_EQ(result.format, AV_PIX_FMT_YUV420P) << name;
  EXPECT_EQ(result.info.rotation_degrees, 0) << name;
  EXPECT_EQ(result.info.width, result.width) << name << " has square pixels";
  return result;
}

/// Mean distance of two clips' pictures, in gray levels, over the area that both have.
double distance(const std::filesystem::path& a, const std::filesystem::path& b) {
  auto first = clip_reader{a, patient()};
  auto second = clip_reader{b, patient()};
  auto total = 0.;
  auto frames = 0;
  for (; first.advance(); ++frames) {
    EXPECT_TRUE(second.advance());
    const auto x = first.picture();
    const auto y = second.picture();
    const auto left = cv::Mat(x.height, x.width, CV_8UC3, const_cast<uint8_t*>(x.pixels->data()));
    const auto right = cv::Mat(y.height, y.width, CV_8UC3, const_cast<uint8_t*>(y.pixels->data()));
    const auto area = cv::Rect(0, 0, std::min(x.width, y.width), std::min(x.height, y.height));
    total += cv::norm(left(area), right(area), cv::NORM_L1) / (3. * area.area());
  }
  EXPECT_FALSE(second.advance());
  return total / frames;
}

size_t position(const std::vector<uint8_t>& bytes, const std::string& tag) {
  return static_cast<size_t>(std::search(bytes.begin(), bytes.end(), tag.begin(), tag.end()) -
                             bytes.begin());
}

} // namespace

TEST(VideoWriter, Makes25FramesPerSecondOfAnything) {
  for (const auto* name : {"plain.mp4", "fps60.mkv", "fps12.avi", "film.mp4", "vfr.mp4", "vp9.webm",
                           "program.mpg", "one_frame.mp4", "carphone.mp4"})
    converted(name);
}

TEST(VideoWriter, ShowsThePicturesOfTheSource) {
  const auto folder = scratch_folder{};
  for (const auto* name :
       {"plain.mp4", "turned90.mp4", "turned180.mp4", "turned270.mp4", "wide_turned.mp4",
        "odd444.mkv", "full_range.mov", "tenbit.mp4", "interlaced.mp4", "two_sizes.ts"}) {
    convert(media(name), folder / (std::string{name} + ".mp4"));
    EXPECT_LT(distance(media(name), folder / (std::string{name} + ".mp4")), 4.) << name;
  }
}

TEST(VideoWriter, TurnsAndStretchesThePicture) {
  const auto turned = converted("wide_turned.mp4");
  EXPECT_EQ(turned.width, 240);
  EXPECT_EQ(turned.height, 426);
}

TEST(VideoWriter, LeavesOutTheLastRowAndColumnOfOddSizes) {
  const auto x = converted("odd444.mkv");
  EXPECT_EQ(x.width, 320);
  EXPECT_EQ(x.height, 240);
}

TEST(VideoWriter, KeepsColourTags) {
  const auto x = converted("tagged.mp4");
  EXPECT_EQ(x.primaries, AVCOL_PRI_BT709);
  EXPECT_EQ(x.transfer, AVCOL_TRC_BT709);
  EXPECT_EQ(x.space, AVCOL_SPC_BT709);
  EXPECT_EQ(converted("tenbit.mp4").transfer, AVCOL_TRC_SMPTE2084);
  EXPECT_NE(converted("full_range.mov").range, AVCOL_RANGE_JPEG);
}

TEST(VideoWriter, CopiesSoundThatFits) {
  const auto x = converted("sound.mp4");
  EXPECT_EQ(x.sound, AV_CODEC_ID_AAC);
  EXPECT_NEAR(x.sound_s, 4., .1);
  EXPECT_EQ(converted("fps12.avi").sound, AV_CODEC_ID_MP3);
  EXPECT_EQ(converted("vp9.webm").sound, AV_CODEC_ID_OPUS);
  // From packets with headers of their own (ADTS).
  EXPECT_EQ(converted("stream.ts").sound, AV_CODEC_ID_AAC);
}

TEST(VideoWriter, EncodesOtherSoundAsAac) {
  for (const auto* name : {"edit.mov", "old.ogv", "program.mpg"}) {
    const auto x = converted(name);
    EXPECT_EQ(x.sound, AV_CODEC_ID_AAC) << name;
    EXPECT_NEAR(x.sound_s, 2., .1) << name;
  }
}

TEST(VideoWriter, LeavesOutSoundThatIsDamaged) {
  // Every header of a sound packet (ADTS) in the second half of the stream.
  auto bytes = read_bytes(media("stream.ts"));
  auto broken = 0;
  for (auto i = bytes.size() / 2; i + 2 < bytes.size(); ++i) {
    if (bytes[i] == 0xFF && bytes[i + 1] == 0xF1 && bytes[i + 2] == 0x4C) {
      bytes[i + 2] = 0xFC;
      ++broken;
    }
  }
  ASSERT_GT(broken, 10);
  const auto folder = scratch_folder{};
  write_bytes(folder / "source.ts", bytes);
  EXPECT_EQ(convert(folder / "source.ts", folder / "video.mp4"), 50);
  const auto x = look_at(folder / "video.mp4");
  EXPECT_EQ(x.packets, 50);
  EXPECT_EQ(x.sound, AV_CODEC_ID_AAC);
  EXPECT_LT(x.sound_s, 1.9);
}

TEST(VideoWriter, HasNoSoundWhereThereIsNone) {
  EXPECT_EQ(converted("plain.mp4").sound, AV_CODEC_ID_NONE);
}

TEST(VideoWriter, TakesChangedPicturesToo) {
  const auto folder = scratch_folder{};
  convert(media("turned90.mp4"), folder / "video.mp4", true);
  EXPECT_LT(distance(media("turned90.mp4"), folder / "video.mp4"), 4.);
  const auto odd = converted("odd444.mkv", true);
  EXPECT_EQ(odd.width, 320);
  EXPECT_EQ(odd.height, 240);
}

TEST(VideoWriter, PutsTheIndexToTheFront) {
  const auto folder = scratch_folder{};
  convert(media("plain.mp4"), folder / "video.mp4");
  const auto bytes = read_bytes(folder / "video.mp4");
  EXPECT_LT(position(bytes, "moov"), position(bytes, "mdat"));
  EXPECT_LT(position(bytes, "mdat"), bytes.size());
}

TEST(VideoWriter, OverwritesNothing) {
  const auto folder = scratch_folder{};
  write_bytes(folder / "video.mp4", {1, 2, 3});
  EXPECT_EQ(error_of([&] { convert(media("one_frame.mp4"), folder / "video.mp4"); }).code(),
            errc::storage_failed);
  EXPECT_EQ(read_bytes(folder / "video.mp4"), (std::vector<uint8_t>{1, 2, 3}));
}

TEST(VideoWriter, TellsAFullDisk) {
  // A limit on the size of files stands for the disk's end.
  auto before = rlimit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const auto small = rlimit{1 << 16, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto folder = scratch_folder{};
  const auto x = error_of([&] { convert(media("plain.mp4"), folder / "video.mp4"); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(x.code(), errc::storage_full);
}
