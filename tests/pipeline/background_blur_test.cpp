#include "pipeline/background_blur.hpp"

#include "tests/pipeline/pictures.hpp"

#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

using namespace musetalk::pipeline;

namespace {

class BackgroundBlur : public testing::Test {
protected:
  // The sample, four times as large, and where people surely are and surely are not.
  BackgroundBlur() {
    auto small = load_picture(golden("faces/frame_000.png"));
    auto large = cv::Mat{};
    cv::resize(borrow(small), large, {}, 4., 4., cv::INTER_CUBIC);
    sample = to_image(large);
    auto likely = cv::Mat{};
    auto official = load_picture(golden("faces/person_landscape.png"));
    cv::resize(borrow(official), likely, large.size(), 0, 0, cv::INTER_LINEAR);
    auto square = cv::Mat::ones(25, 25, CV_8U);
    cv::erode(likely >= 240, person, square);
    cv::erode(likely <= 15, nobody, square);
    cv::dilate((likely > 15) & (likely < 240), outline, cv::Mat::ones(9, 9, CV_8U));
  }

  // What is finer than some pixels.
  static double roughness(const image& x, const cv::Mat& where) {
    auto coarse = cv::Mat{};
    cv::GaussianBlur(borrow(x), coarse, {}, 6.);
    auto fine = cv::Mat{};
    cv::absdiff(borrow(x), coarse, fine);
    auto mean = cv::mean(fine, where);
    return mean[0] + mean[1] + mean[2];
  }

  static double noise_ratio(const image& a, const image& b, const cv::Mat& where) {
    auto difference = cv::Mat{};
    cv::absdiff(borrow(a), borrow(b), difference);
    difference.convertTo(difference, CV_32F);
    auto mean = cv::mean(difference.mul(difference), where);
    auto error = (mean[0] + mean[1] + mean[2]) / 3.;
    return error > 0. ? 10. * std::log10(255. * 255. / error) : 99.;
  }

  // How much the outline moves while a still picture is noisy.
  double flicker(double smoothing) {
    auto blur = background_blur{face_models(), {.smoothing = smoothing}};
    cv::theRNG().state = 5;
    auto before = cv::Mat{};
    auto sum = 0.;
    for (auto i = 0; i < 8; ++i) {
      auto noise = cv::Mat(sample.height, sample.width, CV_16SC3);
      cv::randn(noise, 0., 25.);
      auto noisy = cv::Mat{};
      cv::add(borrow(sample), noise, noisy, cv::noArray(), CV_8U);
      auto made = blur.apply(to_image(noisy));
      // Coarse enough that the noise itself is gone.
      auto coarse = cv::Mat{};
      cv::GaussianBlur(borrow(made), coarse, {}, 4.);
      if (!before.empty()) {
        auto difference = cv::Mat{};
        cv::absdiff(coarse, before, difference);
        sum += cv::mean(difference, outline)[0];
      }
      before = coarse;
    }
    return sum;
  }

  image sample;
  cv::Mat person;
  cv::Mat nobody;
  cv::Mat outline;
};

} // namespace

TEST_F(BackgroundBlur, LeavesThePersonAlone) {
  auto made = background_blur{face_models()}.apply(sample);
  ASSERT_GT(cv::countNonZero(person), 50000);
  EXPECT_GE(noise_ratio(sample, made, person), 40.);
}

TEST_F(BackgroundBlur, TakesTheDetailOutOfTheBackground) {
  auto made = background_blur{face_models()}.apply(sample);
  ASSERT_GT(cv::countNonZero(nobody), 50000);
  EXPECT_LT(roughness(made, nobody), 0.2 * roughness(sample, nobody));
}

TEST_F(BackgroundBlur, KeepsTheBackgroundsColours) {
  auto made = background_blur{face_models()}.apply(sample);
  auto before = cv::mean(borrow(sample), nobody);
  auto after = cv::mean(borrow(made), nobody);
  for (auto c = 0; c < 3; ++c)
    EXPECT_NEAR(before[c], after[c], 6.);
}

TEST_F(BackgroundBlur, GivesTheSameForTheSame) {
  auto one = background_blur{face_models()};
  auto other = background_blur{face_models()};
  EXPECT_EQ(largest_difference(one.apply(sample), other.apply(sample)), 0);
}

TEST_F(BackgroundBlur, FlickersLessWithMemory) {
  EXPECT_LT(flicker(0.4), 0.9 * flicker(1.));
}

TEST_F(BackgroundBlur, TakesPicturesOfAnySize) {
  auto blur = background_blur{face_models()};
  for (auto [width, height] : {std::pair{1, 1}, {320, 180}, {180, 320}, {641, 481}, {2000, 3}}) {
    auto made = blur.apply(plain(width, height, 90));
    EXPECT_EQ(made.width, width);
    EXPECT_EQ(made.height, height);
    EXPECT_LE(largest_difference(made, plain(width, height, 90)), 1);
  }
}
