#include "pipeline/mask_blur.hpp"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

namespace musetalk::pipeline {

namespace {

constexpr int32_t smallest_size = 31; // below it OpenCV's own passes are as fast
constexpr int32_t one = 256;          // the sum of all weights

// A window as prefix sums see it: P[x + i] counts once for each i in `plus`, and against for each
// in `minus`, where P[x] is the sum of what lies before x.
struct window {
  std::vector<int32_t> plus;
  std::vector<int32_t> minus;
};

// OpenCV's weights, asked of OpenCV: what it makes of a single white pixel.
std::vector<int32_t> weights_of(int32_t size) {
  auto line = cv::Mat{1, 2 * size + 1, CV_8U, cv::Scalar::all(0)};
  line.at<uint8_t>(0, size) = 255;
  auto blurred = cv::Mat{};
  cv::GaussianBlur(line, blurred, {size, size}, 0);
  auto first = blurred.ptr<uint8_t>() + size - size / 2;
  // 255 w / 256 rounds to w, for no weight is above a half.
  return {first, first + size};
}

window make_window(const std::vector<int32_t>& weights) {
  auto result = window{};
  auto before = 0;
  for (auto i = 0; i <= static_cast<int32_t>(weights.size()); ++i) {
    auto here = i < static_cast<int32_t>(weights.size()) ? weights[i] : 0;
    auto& list = before > here ? result.plus : result.minus;
    list.insert(list.end(), std::abs(before - here), i);
    before = here;
  }
  return result;
}

// Sums of unsigned numbers may run over on the way: the result fits, and it comes out right.
template <class Number>
void sum_up(const Number* prefix, ptrdiff_t step, const window& shape, Number* to, int32_t count) {
  std::fill_n(to, count, Number{0});
  for (auto i = size_t{0}; i < shape.plus.size(); ++i) {
    auto more = prefix + shape.plus[i] * step;
    auto less = prefix + shape.minus[i] * step;
    for (auto x = 0; x < count; ++x)
      to[x] = static_cast<Number>(to[x] + more[x] - less[x]);
  }
}

// Each row blurred, 8 fractional bits. Rows without white stay black.
cv::Mat blur_rows(const cv::Mat& mask, int32_t size, const window& shape) {
  auto result = cv::Mat{mask.rows, mask.cols, CV_16U, cv::Scalar::all(0)};
  auto reach = size / 2;
  auto prefix = std::vector<uint16_t>(mask.cols + size);
  for (auto y = 0; y < mask.rows; ++y) {
    auto row = mask.ptr<uint8_t>(y);
    if (std::all_of(row, row + mask.cols, [](uint8_t v) { return v == 0; }))
      continue;
    for (auto x = 0; x < mask.cols + size - 1; ++x) {
      auto from = cv::borderInterpolate(x - reach, mask.cols, cv::BORDER_DEFAULT);
      prefix[x + 1] = static_cast<uint16_t>(prefix[x] + row[from]);
    }
    sum_up(prefix.data(), 1, shape, result.ptr<uint16_t>(y), mask.cols);
  }
  return result;
}

// Each column blurred and rounded to whole numbers.
cv::Mat blur_columns(const cv::Mat& rows, int32_t size, const window& shape) {
  auto result = cv::Mat(rows.size(), CV_8U);
  auto reach = size / 2;
  // A strip of columns at a time stays in the cache.
  constexpr auto strip = 64;
  auto prefix = std::vector<uint32_t>(static_cast<size_t>(rows.rows + size) * strip);
  auto sums = std::array<uint32_t, strip>{};
  for (auto left = 0; left < rows.cols; left += strip) {
    auto width = std::min(strip, rows.cols - left);
    for (auto y = 0; y < rows.rows + size - 1; ++y) {
      auto from =
          rows.ptr<uint16_t>(cv::borderInterpolate(y - reach, rows.rows, cv::BORDER_DEFAULT)) +
          left;
      auto before = prefix.data() + static_cast<size_t>(y) * strip;
      for (auto x = 0; x < width; ++x)
        before[strip + x] = before[x] + from[x];
    }
    for (auto y = 0; y < rows.rows; ++y) {
      sum_up(prefix.data() + static_cast<size_t>(y) * strip, strip, shape, sums.data(), width);
      auto to = result.ptr<uint8_t>(y) + left;
      for (auto x = 0; x < width; ++x)
        to[x] = static_cast<uint8_t>((sums[x] + one * one / 2) / (one * one));
    }
  }
  return result;
}

} // namespace

cv::Mat blur_mask(const cv::Mat& mask, int32_t size) {
  CV_Assert(mask.type() == CV_8U && size % 2 == 1);
  if (size >= smallest_size) {
    auto weights = weights_of(size);
    // Another OpenCV may round otherwise; then it does the work itself.
    if (std::accumulate(weights.begin(), weights.end(), 0) == one) {
      auto shape = make_window(weights);
      return blur_columns(blur_rows(mask, size, shape), size, shape);
    }
  }
  // A matrix that is part of another would go a path that is not exact.
  auto result = cv::Mat{};
  cv::GaussianBlur(mask.isSubmatrix() ? mask.clone() : mask, result, {size, size}, 0);
  return result;
}

} // namespace musetalk::pipeline
