#pragma once

#include "pipeline/image.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace musetalk::pipeline {

/// Writes PNGs several times faster than OpenCV at the same size: 8 bit, rows filtered by the
/// better of "sub" and "up", deflated by ISA-L at level 1. Keeps its buffers from picture to
/// picture. One thread at a time.
class png_encoder {
public:
  png_encoder();
  png_encoder(png_encoder&&) noexcept;
  png_encoder& operator=(png_encoder&&) noexcept;
  ~png_encoder();

  /// @param picture BGR (written as RGB) or gray, at least one pixel.
  /// @returns A whole PNG file. Any reader gives back the very pixels.
  /// @throws error `internal` for another picture.
  std::vector<uint8_t> encode(const image& picture);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// One picture by a `png_encoder` of its own.
std::vector<uint8_t> encode_png(const image& picture);

} // namespace musetalk::pipeline
