#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace musetalk::pipeline {

/// Room on the file system of a path.
struct disk_space {
  uint64_t free_bytes = 0;  ///< That this process may still write.
  uint64_t total_bytes = 0; ///< Of the whole file system.
};

/// Of the nearest folder above `path` that exists; nothing when even that cannot be told.
std::optional<disk_space> disk_space_of(std::filesystem::path path);

} // namespace musetalk::pipeline
