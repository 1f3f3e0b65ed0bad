#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace musetalk::pipeline {

class file;

/// SHA-256 of bytes that come in pieces.
class sha256 {
public:
  sha256();
  sha256(sha256&&) noexcept;
  sha256& operator=(sha256&&) noexcept;
  ~sha256();

  void update(std::span<const std::byte> bytes);

  /// Ends the sum: 64 lower-case hex digits. Once only.
  std::string finish();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// Of one piece.
std::string sha256_of(std::span<const std::byte> bytes);

/// Of what is left of an open file, read in pieces.
/// @param progress Told after each piece of the bytes read so far. @throws error `storage_failed`.
std::string sha256_of(file& source, const std::function<void(uint64_t done)>& progress = {});

/// Of a file, read in pieces. @throws error `storage_failed`.
std::string sha256_of_file(const std::filesystem::path& path);

} // namespace musetalk::pipeline
