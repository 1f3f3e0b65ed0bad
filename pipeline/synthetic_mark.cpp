#include "pipeline/synthetic_mark.hpp"

#include "pipeline/opencv.hpp"

#include <opencv2/imgproc.hpp>

#include <algorithm>

namespace musetalk::pipeline {

namespace {

constexpr auto text = "SYNTHETIC WEIGHTS - NOT A REAL RESULT";
constexpr auto font = cv::FONT_HERSHEY_SIMPLEX;

} // namespace

synthetic_mark::synthetic_mark(int32_t width, int32_t height) {
  auto rows = std::clamp(height / 18, std::min(8, height), height);
  auto bar = cv::Mat{rows, width, CV_8UC3, cv::Scalar{40, 40, 200}};
  auto baseline = 0;
  auto unit = cv::getTextSize(text, font, 1., 1, &baseline);
  // As large as the bar allows in both directions.
  auto scale = std::min(0.6 * rows / unit.height, 0.96 * width / unit.width);
  auto size = cv::getTextSize(text, font, scale, 1, &baseline);
  cv::putText(bar, text, {(width - size.width) / 2, (rows + size.height) / 2}, font, scale,
              {255, 255, 255}, std::max(1, rows / 24), cv::LINE_AA);
  bar_ = to_image(bar);
}

void synthetic_mark::put(std::span<uint8_t> frame) const {
  std::copy_n(bar_.pixels->begin(), std::min(bar_.pixels->size(), frame.size()), frame.begin());
}

} // namespace musetalk::pipeline
