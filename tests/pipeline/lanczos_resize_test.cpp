#include "pipeline/lanczos_resize.hpp"

#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

using namespace musetalk::pipeline;

namespace {

// Noise, and black and white stripes that overshoot most.
cv::Mat rough_picture(int32_t width, int32_t height, uint64_t seed) {
  auto random = cv::RNG{seed};
  auto result = cv::Mat(height, width, CV_8UC3);
  random.fill(result, cv::RNG::UNIFORM, 0, 256);
  for (auto y = height / 2; y < height; ++y)
    for (auto x = 0; x < width; ++x)
      result.at<cv::Vec3b>(y, x) =
          (x / 3 + y / 2) % 2 == 0 ? cv::Vec3b{255, 255, 255} : cv::Vec3b{};
  return result;
}

double difference(const cv::Mat& source, cv::Size size) {
  auto expected = cv::Mat{};
  cv::resize(source, expected, size, 0, 0, cv::INTER_LANCZOS4);
  return cv::norm(resize_lanczos(source, size), expected, cv::NORM_INF);
}

} // namespace

TEST(LanczosResize, EqualsOpencvBitForBit) {
  for (auto [width, height] : {std::pair{256, 256},
                               {255, 257},
                               {314, 372},
                               {181, 264},
                               {128, 512},
                               {49, 70},
                               {700, 900},
                               {8, 8},
                               {9, 300},
                               {1, 1},
                               {2, 5}})
    EXPECT_EQ(difference(rough_picture(width, height, 7), {256, 256}), 0.)
        << width << ' ' << height;
}

TEST(LanczosResize, EqualsOpencvAtOtherSizes) {
  auto random = cv::RNG{19};
  for (auto i = 0; i < 60; ++i) {
    auto side = [&] {
      return random.uniform(1, 120);
    };
    auto source = rough_picture(side(), side(), 100 + i);
    auto size = cv::Size{side(), side()};
    EXPECT_EQ(difference(source, size), 0.) << source.size() << ' ' << size;
  }
}

TEST(LanczosResize, TakesAPartOfAPicture) {
  auto whole = rough_picture(300, 200, 5);
  EXPECT_EQ(difference(whole(cv::Rect{40, 30, 171, 133}), {256, 256}), 0.);
}
