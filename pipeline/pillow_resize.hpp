#pragma once

#include "pipeline/image.hpp"

namespace musetalk::pipeline {

/// Pillow's filters by the names Pillow gives them.
enum class pillow_filter : uint8_t { bilinear = 1, bicubic };

/// Pillow's `Image.resize` for modes L and RGB, bit for bit: antialiased, columns first, 8 bit
/// between the passes, 22 fractional bits. The order of the channels does not matter.
///
/// Source: Pillow `src/libImaging/Resample.c`.
///
/// @param width, height Of the result, at least 1.
/// @throws error `internal` for an empty source or result.
image pillow_resize(const image& source, int32_t width, int32_t height, pillow_filter filter);

/// The rows and columns `part` of `pillow_resize(source, width, height, filter)`, without computing
/// the others.
/// @param part Inside the result and not empty.
image pillow_resize_part(const image& source, int32_t width, int32_t height, pillow_filter filter,
                         const box& part);

} // namespace musetalk::pipeline
