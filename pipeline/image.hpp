#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace musetalk::pipeline {

/// Bytes that many holders may share. Nobody writes through the pointer after construction, so a
/// message copies a pointer, never pixels.
using bytes_ptr = std::shared_ptr<const std::vector<uint8_t>>;

/// Takes the bytes over as an immutable shared buffer.
inline bytes_ptr share(std::vector<uint8_t> bytes) {
  return std::make_shared<const std::vector<uint8_t>>(std::move(bytes));
}

/// An 8-bit picture, `[height, width, channels]`, row-major, no padding between rows.
/// Three channels are BGR, one channel is gray or a mask.
struct image {
  int32_t width = 0;    ///< Pixels.
  int32_t height = 0;   ///< Pixels.
  int32_t channels = 3; ///< 1 or 3.
  bytes_ptr pixels;     ///< `width * height * channels` bytes; null only in a default-made image.

  const uint8_t* row(int32_t y) const {
    return pixels->data() + static_cast<size_t>(y) * width * channels;
  }
};

/// A picture of a clip at 25 frames per second.
struct frame {
  int64_t index = 0; ///< Position in the clip, from 0.
  image picture;     ///< BGR.
};

/// A rectangle in pixels: `[left, right) x [top, bottom)`. May lie outside a frame where said so.
struct box {
  int32_t left = 0;
  int32_t top = 0;
  int32_t right = 0;
  int32_t bottom = 0;

  int32_t width() const { return right - left; }
  int32_t height() const { return bottom - top; }

  friend bool operator==(const box&, const box&) = default;
};

/// A position in pixels of a frame: x to the right, y down, (0, 0) the centre of the first pixel.
struct point {
  float x = 0.f;
  float y = 0.f;

  friend bool operator==(const point&, const point&) = default;
};

} // namespace musetalk::pipeline
