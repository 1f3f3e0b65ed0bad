#pragma once

#include "pipeline/file_ops.hpp"
#include "pipeline/sha256.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace musetalk::pipeline {

/// Length and sum of a file, as the manifest lists them.
struct file_sum {
  uint64_t bytes = 0;
  std::string sha256; ///< Lower-case hex.
};

/// A new file that is hashed while it is written.
class hashing_file {
public:
  /// @throws error `storage_*`, also when the file exists.
  explicit hashing_file(const std::filesystem::path& path) : target_(create_file(path)) {}

  /// @throws error `storage_*`.
  void write(std::span<const std::byte> bytes) {
    sum_.update(bytes);
    target_.write(bytes);
    bytes_ += bytes.size();
  }

  uint64_t size() const noexcept { return bytes_; }

  /// Closes the file without syncing it. @throws error `storage_*`.
  file_sum close() {
    target_.close();
    return {bytes_, sum_.finish()};
  }

private:
  file target_;
  sha256 sum_;
  uint64_t bytes_ = 0;
};

/// A whole new file. @throws error `storage_*`.
inline file_sum write_hashed(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  auto target = hashing_file{path};
  target.write(bytes);
  return target.close();
}

} // namespace musetalk::pipeline
