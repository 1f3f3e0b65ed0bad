#pragma once

#include "pipeline/image.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace musetalk::pipeline {

/// A picture as JPEG. @param quality 1..100. @throws error `internal` when it cannot be encoded.
std::vector<uint8_t> encode_jpeg(const image& picture, int32_t quality = 90);

/// A JPEG as a picture, BGR. @throws error `avatar_damaged` when it is none.
image decode_jpeg(std::string_view bytes);

/// The first frame of an avatar as `preview.jpg`: as it is, its longer side at most 640 pixels.
std::vector<uint8_t> preview_jpeg(const image& picture);

} // namespace musetalk::pipeline
