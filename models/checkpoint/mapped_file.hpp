#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace musetalk::models {

/// A file mapped for reading. Pages come in as they are touched and count as the process's memory
/// until `release`. The file must not shrink while it is mapped: weight files are replaced by
/// rename, never rewritten.
class mapped_file {
public:
  /// @throws musetalk::error `models_missing` when it cannot be opened, `models_invalid` when it is
  /// no plain file.
  explicit mapped_file(const std::filesystem::path& path);

  mapped_file(mapped_file&& other) noexcept;
  mapped_file& operator=(mapped_file&& other) noexcept;
  mapped_file(const mapped_file&) = delete;
  mapped_file& operator=(const mapped_file&) = delete;
  ~mapped_file();

  /// The whole file; empty for an empty file.
  std::span<const std::byte> bytes() const noexcept { return bytes_; }

  /// Gives the pages of a part back to the system; touching them again reads them anew.
  void release(std::span<const std::byte> part) const noexcept;

private:
  std::span<const std::byte> bytes_;
};

} // namespace musetalk::models
