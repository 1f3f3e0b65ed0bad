#pragma once

#include <opencv2/core/mat.hpp>

#include <cstdint>

// Only for .cpp files of this room.

namespace musetalk::pipeline {

/// `cv::GaussianBlur(mask, {size, size}, 0)` with its usual border, bit for bit, and several times
/// faster for large sizes.
///
/// OpenCV rounds the weights of an 8-bit blur to multiples of 1/256. A large window then has few
/// different weights, so each pass is a short sum of differences of prefix sums.
///
/// @param mask 8 bit, one channel.
/// @param size Odd, of the window, pixels.
cv::Mat blur_mask(const cv::Mat& mask, int32_t size);

} // namespace musetalk::pipeline
