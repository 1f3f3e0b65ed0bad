#include "pipeline/clip_reader.hpp"

#include "media.hpp"

#include <opencv2/core.hpp>
#include <opencv2/videoio.hpp>

using namespace musetalk::pipeline;

class SamePixelsAsOpenCv : public ::testing::TestWithParam<const char*> {};
TEST_P(SamePixelsAsOpenCv, FrameByFrame) {
  auto oracle = cv::VideoCapture{media(GetParam()).string(), cv::CAP_FFMPEG};
  ASSERT_TRUE(oracle.isOpened());
  auto config = read_config{};
  config.limits.max_probe_seconds = 30.;
  auto reader = clip_reader{media(GetParam()), config};
  auto expected = cv::Mat{};
  auto frames = 0;
  while (oracle.read(expected)) {
    ASSERT_TRUE(reader.advance()) << "frame " << frames;
    const auto got = reader.picture();
    ASSERT_EQ(got.width, expected.cols);
    ASSERT_EQ(got.height, expected.rows);
    const auto mine =
        cv::Mat(got.height, got.width, CV_8UC3, const_cast<uint8_t*>(got.pixels->data()));
    ASSERT_EQ(cv::norm(mine, expected, cv::NORM_INF), 0.) << "frame " << frames;
    ++frames;
  }
  EXPECT_FALSE(reader.advance());
  EXPECT_GT(frames, 4);
}

// No quarter turns: OpenCV 4.6 on FFmpeg 5 makes them the wrong way round.
INSTANTIATE_TEST_SUITE_P(At25FramesPerSecond, SamePixelsAsOpenCv,
                         ::testing::Values("plain.mp4", "coded1088.mp4", "vp9.webm", "stream.ts",
                                           "program.mpg", "flash.flv", "edit.mov", "old.ogv",
                                           "turned180.mp4", "sound.mp4", "odd444.mkv",
                                           "odd420.webm", "tenbit.mp4", "full_range.mov",
                                           "tagged.mp4"));
