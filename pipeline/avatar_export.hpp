#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace musetalk::pipeline {

/// A version of an avatar as a tar (ustar), made while it is read, in constant memory: `tar x`
/// gives the folder that MuseTalk opens. Mirrored frames are hard links inside of the archive.
/// Holds the folder open: whoever removes the version meanwhile takes its files away only after
/// their grace time.
class avatar_export {
public:
  /// Looks what there is; files of other names than an avatar's are left out.
  /// @param folder Of the version. @param name Top folder inside of the archive.
  /// @throws error `version_not_found` when there is no such folder; `storage_failed`.
  avatar_export(const std::filesystem::path& folder, const std::string& name);
  avatar_export(avatar_export&&) noexcept;
  avatar_export& operator=(avatar_export&&) noexcept;
  ~avatar_export();

  /// Of the whole archive.
  uint64_t bytes() const noexcept;

  /// The next bytes, at most the buffer's size; 0 at the end.
  /// @throws error `avatar_damaged` when a file is gone or has another size than before;
  /// `storage_failed`.
  size_t read(std::span<std::byte> buffer);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// True for the names of an avatar's files, below its folder: a closed list.
bool is_avatar_file(const std::string& path);

} // namespace musetalk::pipeline
