#pragma once

#include <cstdint>
#include <string>

namespace musetalk::pipeline {

/// Bytes of a header, and what files are padded to.
inline constexpr uint64_t tar_block_bytes = 512;

/// Zeros behind so many bytes of a file.
constexpr uint64_t tar_padding(uint64_t bytes) noexcept {
  return (tar_block_bytes - bytes % tar_block_bytes) % tar_block_bytes;
}

/// The header of a plain file in the form ustar (POSIX.1-1988), mode 0644, of nobody.
/// @param path At most 100 bytes. @param bytes Below 8 GiB. @param mtime_s Since 1970.
/// @throws error `internal` for more.
std::string tar_file_header(const std::string& path, uint64_t bytes, int64_t mtime_s);

/// The header of a second name of a file that came before.
std::string tar_link_header(const std::string& path, const std::string& first, int64_t mtime_s);

/// What an archive ends with.
std::string tar_end();

} // namespace musetalk::pipeline
