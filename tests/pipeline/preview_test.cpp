#include "pipeline/preview.hpp"

#include "errors/error.hpp"
#include "tests/pipeline/pictures.hpp"

#include <gtest/gtest.h>

using namespace musetalk;
using namespace musetalk::pipeline;

TEST(Preview, IsAJpegOfThePicture) {
  auto file = preview_jpeg(load_picture(golden("faces/frame_000.png")));
  auto back = cv::imdecode(file, cv::IMREAD_COLOR);
  EXPECT_EQ(back.cols, 176);
  EXPECT_EQ(back.rows, 144);
  EXPECT_EQ(file[0], 0xff);
  EXPECT_EQ(file[1], 0xd8);
}

TEST(Preview, IsAtMost640PixelsLong) {
  auto back = cv::imdecode(preview_jpeg(plain(1080, 1920, 90)), cv::IMREAD_COLOR);
  EXPECT_EQ(back.rows, 640);
  EXPECT_EQ(back.cols, 360);
}

TEST(Preview, RefusesAnEmptyPicture) {
  EXPECT_THROW(preview_jpeg(image{}), error);
}

TEST(EncodeJpeg, SpendsMoreBytesOnMoreQuality) {
  auto picture = load_picture(golden("faces/frame_000.png"));
  EXPECT_GT(encode_jpeg(picture, 95).size(), encode_jpeg(picture, 40).size());
}
