#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace musetalk::pipeline {

/// Head of a PNG.
struct png_head {
  int32_t width = 0;
  int32_t height = 0;
  int32_t bits = 0;   ///< Per channel.
  int32_t colour = 0; ///< 0 gray, 2 RGB.
};

/// Reads the head of a PNG and looks for its end mark.
/// @throws error `avatar_damaged` when it is cut or no PNG.
png_head read_png_head(const std::filesystem::path& path);

/// The pictures that MuseTalk and LiveTalking find in a folder (`*.[jpJP][pnPN]*[gG]`), in the
/// order of their integer stems, which must be 0, 1, 2, ….
/// @throws error `avatar_damaged` for other stems, gaps, links, or more than a million.
std::vector<std::filesystem::path> list_pictures(const std::filesystem::path& folder);

} // namespace musetalk::pipeline
