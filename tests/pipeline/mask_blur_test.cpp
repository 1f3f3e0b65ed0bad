#include "pipeline/mask_blur.hpp"

#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

using namespace musetalk::pipeline;

namespace {

// Black and white areas with soft and rough edges, some of them on the border.
cv::Mat rough_mask(int32_t width, int32_t height) {
  auto result = cv::Mat{height, width, CV_8U, cv::Scalar::all(0)};
  cv::theRNG().state = 11;
  cv::randu(result(cv::Rect{0, 0, width, height / 4 + 1}), 0, 256);
  cv::ellipse(result, {width / 2, height * 2 / 3}, {width / 3, height / 4}, 20., 0., 360., {255},
              cv::FILLED);
  cv::rectangle(result, {width - 9, height - 5, 9, 5}, {200}, cv::FILLED);
  return result;
}

double difference(const cv::Mat& mask, int32_t size) {
  auto expected = cv::Mat{};
  cv::GaussianBlur(mask, expected, {size, size}, 0);
  return cv::norm(expected, blur_mask(mask, size), cv::NORM_INF);
}

class MaskBlur : public testing::TestWithParam<int32_t> {};

} // namespace

TEST_P(MaskBlur, EqualsOpencvBitForBit) {
  auto size = GetParam();
  EXPECT_EQ(difference(rough_mask(10 * size, 7 * size), size), 0.);
  EXPECT_EQ(difference(rough_mask(size + 3, 2 * size + 1), size), 0.);
}

TEST_P(MaskBlur, EqualsOpencvOnMasksSmallerThanTheWindow) {
  EXPECT_EQ(difference(rough_mask(20, 9), GetParam()), 0.);
  EXPECT_EQ(difference(rough_mask(1, 1), GetParam()), 0.);
}

TEST_P(MaskBlur, TakesAPartOfAMaskForAWhole) {
  auto whole = rough_mask(200, 150);
  auto part = whole(cv::Rect{30, 20, 120, 90});
  auto size = GetParam();
  EXPECT_EQ(cv::norm(blur_mask(part, size), blur_mask(part.clone(), size), cv::NORM_INF), 0.);
}

INSTANTIATE_TEST_SUITE_P(Sizes, MaskBlur,
                         testing::Values(1, 3, 5, 9, 23, 29, 31, 33, 47, 55, 81, 109, 163, 255));
