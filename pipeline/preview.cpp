#include "pipeline/preview.hpp"

#include "errors/error.hpp"
#include "pipeline/opencv.hpp"

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <algorithm>

namespace musetalk::pipeline {

namespace {

constexpr int32_t preview_side = 640;

std::vector<uint8_t> encode(const cv::Mat& picture, int32_t quality) {
  auto result = std::vector<uint8_t>{};
  try {
    if (!cv::imencode(".jpg", picture, result, {cv::IMWRITE_JPEG_QUALITY, quality}))
      throw error{errc::internal, "A preview could not be encoded."};
  } catch (const cv::Exception& e) {
    throw error{errc::internal, "A preview could not be encoded.", e.what()};
  }
  return result;
}

} // namespace

std::vector<uint8_t> encode_jpeg(const image& picture, int32_t quality) {
  return encode(borrow(picture), std::clamp(quality, 1, 100));
}

image decode_jpeg(std::string_view bytes) {
  auto picture = cv::Mat{};
  try {
    auto data = cv::_InputArray{bytes.data(), static_cast<int>(bytes.size())};
    picture = cv::imdecode(data, cv::IMREAD_COLOR);
  } catch (const cv::Exception& e) {
    throw error{errc::avatar_damaged, "A picture of the avatar cannot be read.", e.what()};
  }
  if (picture.empty())
    throw error{errc::avatar_damaged, "A picture of the avatar cannot be read."};
  return to_image(picture);
}

std::vector<uint8_t> preview_jpeg(const image& picture) {
  auto source = borrow(picture);
  auto scale = static_cast<double>(preview_side) / std::max(source.cols, source.rows);
  if (scale >= 1.)
    return encode_jpeg(picture);
  auto side = [&](int32_t x) {
    return std::max(1, static_cast<int32_t>(std::lround(x * scale)));
  };
  auto small = cv::Mat{};
  cv::resize(source, small, {side(source.cols), side(source.rows)}, 0, 0, cv::INTER_AREA);
  return encode(small, 90);
}

} // namespace musetalk::pipeline
