#pragma once

#include "errors/error.hpp"
#include "pipeline/image.hpp"

#include <opencv2/core/mat.hpp>

#include <cstring>

// Only for .cpp files of this room: no header that others include may name a type of OpenCV.

namespace musetalk::pipeline {

/// The picture as a matrix that borrows its pixels. Must not be written to, nor outlive the
/// picture.
inline cv::Mat borrow(const image& x) {
  if (!x.pixels || x.width < 1 || x.height < 1 || (x.channels != 1 && x.channels != 3) ||
      x.pixels->size() != static_cast<size_t>(x.width) * x.height * x.channels)
    throw error{errc::internal, "A picture is empty or not of the size that it states."};
  return {x.height, x.width, x.channels == 3 ? CV_8UC3 : CV_8UC1,
          const_cast<uint8_t*>(x.pixels->data())};
}

/// A copy of an 8-bit matrix as a picture.
inline image to_image(const cv::Mat& x) {
  CV_Assert(x.depth() == CV_8U && (x.channels() == 1 || x.channels() == 3));
  auto row_bytes = static_cast<size_t>(x.cols) * x.channels();
  auto pixels = std::vector<uint8_t>(row_bytes * x.rows);
  for (auto y = 0; y < x.rows; ++y)
    std::memcpy(pixels.data() + y * row_bytes, x.ptr(y), row_bytes);
  return {x.cols, x.rows, x.channels(), share(std::move(pixels))};
}

/// `x` in the form that OpenCV slices by.
inline cv::Rect to_rect(const box& x) {
  return {x.left, x.top, x.width(), x.height()};
}

} // namespace musetalk::pipeline
