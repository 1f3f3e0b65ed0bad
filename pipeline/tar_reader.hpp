#pragma once

#include "pipeline/file_ops.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace musetalk::pipeline {

/// What an archive may be at most.
struct tar_limits {
  size_t max_entries = 300'000;           ///< Headers of any kind.
  uint64_t max_bytes = uint64_t{1} << 40; ///< Of all files together.
};

/// Where the bytes of a file lie in an archive.
struct tar_entry {
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

/// Reads the table of a tar without unpacking anything: ustar, pax (path and size), GNU's long
/// names and sizes, the old form. Directories are skipped. A hard link counts as a second name of a
/// file that came before in the same archive; whatever else is no plain file is refused: symbolic
/// links, devices, pipes, sparse files. Paths are relative, without `.` and `..` as a part, without
/// control characters. Sums of headers are checked. Nothing is written.
/// @param archive Read at any place; stays open.
/// @returns the files by path, `./` in front left out. @throws error `request_malformed` with the
/// first thing that does not hold; `storage_failed`.
std::map<std::string, tar_entry> read_tar_table(file& archive, const tar_limits& limits = {});

} // namespace musetalk::pipeline
