#pragma once

#include <cstdint>
#include <filesystem>

namespace musetalk::bench {

/// Writes a clip to measure with: the sample forwards and backwards until it is long enough,
/// 1280 x 720, 25 frames per second, H.264, no sound.
void write_clip(const std::filesystem::path& sample, const std::filesystem::path& target,
                int32_t frames);

} // namespace musetalk::bench
