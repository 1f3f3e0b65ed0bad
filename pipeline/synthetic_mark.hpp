#pragma once

#include "pipeline/image.hpp"

#include <cstdint>
#include <span>

namespace musetalk::pipeline {

/// A red bar across the top of a picture that says that its face comes from random networks, so
/// that nobody takes such a video for one of the real ones. Drawn once, copied into each frame.
class synthetic_mark {
public:
  synthetic_mark(int32_t width, int32_t height);

  /// @param frame BGR, of the size that this was made for.
  void put(std::span<uint8_t> frame) const;

private:
  image bar_; // as wide as the frame
};

} // namespace musetalk::pipeline
