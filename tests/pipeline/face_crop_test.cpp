#include "pipeline/face_crop.hpp"

#include "errors/error.hpp"
#include "pipeline/prepared.hpp"
#include "tests/pipeline/pictures.hpp"

#include <gtest/gtest.h>

using namespace musetalk;
using namespace musetalk::pipeline;

TEST(FaceCrop, IsACopyWhereNothingIsToResize) {
  auto pixels = cv::Mat(480, 640, CV_8UC3);
  cv::randu(pixels, 0, 256);
  auto picture = to_image(pixels);
  auto crop = crop_face(picture, {100, 120, 100 + crop_size, 120 + crop_size});
  EXPECT_EQ(largest_difference(crop, to_image(borrow(picture)(cv::Rect{100, 120, 256, 256}))), 0);
}

TEST(FaceCrop, IsSquareWhateverTheBoxIs) {
  auto crop = crop_face(plain(640, 480, 77), {10, 0, 97, 480});
  EXPECT_EQ(crop.width, crop_size);
  EXPECT_EQ(crop.height, crop_size);
  EXPECT_EQ(largest_difference(crop, plain(crop_size, crop_size, 77)), 0);
}

TEST(FaceCrop, RefusesABoxThatLeavesTheFrame) {
  EXPECT_THROW(crop_face(plain(64, 64, 0), {0, 0, 65, 64}), error);
  EXPECT_THROW(crop_face(plain(64, 64, 0), {-1, 0, 64, 64}), error);
}

TEST(FaceCrop, RefusesAnEmptyBox) {
  EXPECT_THROW(crop_face(plain(64, 64, 0), {8, 8, 8, 20}), error);
}

TEST(FaceCrop, RefusesAGrayPicture) {
  EXPECT_THROW(crop_face(plain(64, 64, 0, 1), {8, 8, 40, 40}), error);
}
