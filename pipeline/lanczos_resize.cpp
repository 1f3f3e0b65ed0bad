#include "pipeline/lanczos_resize.hpp"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace musetalk::pipeline {

namespace {

constexpr int32_t tap_count = 8;
constexpr int32_t before = 3; // taps left of the pixel that a position lies on
constexpr int32_t fraction_bits = 11;
constexpr int32_t channels = 3;

struct taps {
  int32_t first = 0; // may lie outside the source; the border pixel is taken there
  std::array<int32_t, tap_count> weights{};
};

// The window of a position that lies `share` of a pixel behind its fourth tap. The sines of all
// taps are turns of one by 45 degrees. Source: OpenCV `modules/imgproc/src/resize.cpp`,
// `interpolateLanczos4`; every rounding counts.
std::array<float, tap_count> window_at(float share) {
  constexpr auto half = 0.70710678118654752440084436210485;
  constexpr double turns[tap_count][2] = {{1, 0},  {-half, -half}, {0, 1},  {half, -half},
                                          {-1, 0}, {half, half},   {0, -1}, {-half, half}};
  auto start = -(share + 3) * CV_PI * 0.25;
  auto s = std::sin(start);
  auto c = std::cos(start);
  auto result = std::array<float, tap_count>{};
  auto sum = 0.f;
  for (auto i = 0; i < tap_count; ++i) {
    auto distance = share + 3 - static_cast<float>(i);
    if (std::abs(distance) >= 1e-6f) {
      auto angle = -distance * CV_PI * 0.25;
      result[i] = static_cast<float>((turns[i][0] * s + turns[i][1] * c) / (angle * angle));
    } else {
      result[i] = 1e30f; // so much more than the others that it alone is left
    }
    sum += result[i];
  }
  sum = 1.f / sum;
  for (auto& x : result)
    x *= sum;
  return result;
}

std::vector<taps> make_taps(int32_t source, int32_t result) {
  auto scale = 1. / (static_cast<double>(result) / source);
  auto all = std::vector<taps>(result);
  for (auto i = 0; i < result; ++i) {
    auto position = static_cast<float>((i + 0.5) * scale - 0.5);
    auto whole = cvFloor(position);
    auto window = window_at(position - static_cast<float>(whole));
    all[i].first = whole - before;
    for (auto k = 0; k < tap_count; ++k)
      all[i].weights[k] = cv::saturate_cast<int16_t>(window[k] * (1 << fraction_bits));
  }
  return all;
}

cv::Mat resize_own(const cv::Mat& source, cv::Size size) {
  auto columns = make_taps(source.cols, size.width);
  auto rows = make_taps(source.rows, size.height);
  auto result = cv::Mat(size, CV_8UC3);
  // One row of sums with some pixels more at both ends, which repeat the border.
  constexpr auto pad = tap_count;
  auto width = source.cols * channels;
  auto sums = std::vector<int32_t>(width + 2 * pad * channels);
  for (auto y = 0; y < size.height; ++y) {
    auto inner = sums.data() + pad * channels;
    std::fill_n(inner, width, 0);
    for (auto k = 0; k < tap_count; ++k) {
      auto from = source.ptr<uint8_t>(std::clamp(rows[y].first + k, 0, source.rows - 1));
      auto weight = static_cast<int16_t>(rows[y].weights[k]);
      for (auto x = 0; x < width; ++x)
        inner[x] += static_cast<int16_t>(from[x]) * weight;
    }
    for (auto i = 0; i < pad; ++i) {
      std::copy_n(inner, channels, sums.data() + i * channels);
      std::copy_n(inner + width - channels, channels, inner + width + i * channels);
    }
    auto to = result.ptr<uint8_t>(y);
    for (const auto& column : columns) {
      auto from = inner + column.first * channels;
      // Unsigned, for OpenCV's sums run over in the same way.
      auto sum = std::array<uint32_t, channels>{};
      for (auto k = 0; k < tap_count; ++k)
        for (auto c = 0; c < channels; ++c)
          sum[c] += static_cast<uint32_t>(from[k * channels + c]) *
                    static_cast<uint32_t>(column.weights[k]);
      for (auto c = 0; c < channels; ++c) {
        constexpr auto half = 1u << (2 * fraction_bits - 1);
        *to++ =
            cv::saturate_cast<uint8_t>(static_cast<int32_t>(sum[c] + half) >> (2 * fraction_bits));
      }
    }
  }
  return result;
}

cv::Mat resize_by_opencv(const cv::Mat& source, cv::Size size) {
  auto result = cv::Mat{};
  cv::resize(source, result, size, 0, 0, cv::INTER_LANCZOS4);
  return result;
}

// Whether this OpenCV rounds as the one that was read.
bool agrees_with_opencv() {
  auto random = cv::RNG{3};
  auto source = cv::Mat(41, 53, CV_8UC3);
  random.fill(source, cv::RNG::UNIFORM, 0, 256);
  for (auto size : {cv::Size{67, 29}, cv::Size{31, 64}})
    if (cv::norm(resize_own(source, size), resize_by_opencv(source, size), cv::NORM_INF) != 0.)
      return false;
  return true;
}

} // namespace

cv::Mat resize_lanczos(const cv::Mat& source, cv::Size size) {
  CV_Assert(source.type() == CV_8UC3 && !source.empty() && !size.empty());
  static const auto agreed = agrees_with_opencv();
  return agreed && source.size() != size ? resize_own(source, size)
                                         : resize_by_opencv(source, size);
}

} // namespace musetalk::pipeline
