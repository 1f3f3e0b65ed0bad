#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

namespace musetalk::pipeline {

/// Compares the files of a version with what its manifest says of them, a piece at a time. Files of
/// several names are read once. Changes nothing.
class version_scrub {
public:
  /// Reads the manifest, and the lengths of all files. @throws error `avatar_damaged`;
  /// `version_not_found` when there is no such folder.
  explicit version_scrub(const std::filesystem::path& folder);
  version_scrub(version_scrub&&) noexcept;
  version_scrub& operator=(version_scrub&&) noexcept;
  ~version_scrub();

  /// Reads about so many bytes more. @returns whether all has been compared.
  /// @throws error `avatar_damaged` with the first file that differs; `version_not_found` when the
  /// folder went away meanwhile; `storage_failed`.
  bool step(uint64_t bytes);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace musetalk::pipeline
