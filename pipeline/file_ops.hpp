#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace musetalk::pipeline {

/// Ends a failed system call: `storage_full` with the bytes wanted and the bytes free when the disk
/// or a quota is full, else `storage_failed`.
/// @param error_number The call's errno.
/// @param step What was being done, for the client: `writing a frame`. No paths.
/// @param where For the log, and the file system whose free bytes are told.
[[noreturn]] void throw_storage_error(int error_number, std::string_view step,
                                      const std::filesystem::path& where,
                                      uint64_t wanted_bytes = 0);

/// An open file; closes it.
class file {
public:
  file() = default;
  file(int descriptor, std::filesystem::path path);
  file(file&& other) noexcept;
  file& operator=(file&& other) noexcept;
  ~file();

  int descriptor() const noexcept { return descriptor_; }
  const std::filesystem::path& path() const noexcept { return path_; }
  explicit operator bool() const noexcept { return descriptor_ >= 0; }

  /// Writes all of it at the end of what was written. @throws error `storage_*`.
  void write(std::span<const std::byte> bytes);

  /// Reads up to the size of `buffer`; 0 at the end of the file. @throws error `storage_failed`.
  size_t read_some(std::span<std::byte> buffer);

  /// Fills `buffer` from `offset`; false when the file is too short. @throws error
  /// `storage_failed`.
  bool read_at(uint64_t offset, std::span<std::byte> buffer);

  /// @throws error `storage_failed`.
  uint64_t size() const;

  /// Bytes and length are on the disk when this returns. @throws error `storage_*`.
  void sync();

  /// Closes and tells what the disk only says now. @throws error `storage_*`.
  void close();

private:
  int descriptor_ = -1;
  std::filesystem::path path_;
};

/// A new file for writing, mode 0644; it must not exist. @throws error `storage_*`.
file create_file(const std::filesystem::path& path);

/// A regular file, never through a link as its last part, never waiting for a pipe's other end.
/// @throws error `storage_failed`.
file open_for_reading(const std::filesystem::path& path);

/// A whole small file. @throws error `storage_failed` when it is larger than `max_bytes`.
std::string read_file(const std::filesystem::path& path, uint64_t max_bytes);

/// Writes a new file in one go, without syncing it. @throws error `storage_*`.
void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes);

/// What a folder lists is on the disk when this returns. @throws error `storage_*`.
void sync_folder(const std::filesystem::path& path);

/// Makes one folder, mode 0755; one that exists is kept. @throws error `storage_*`.
void make_folder(const std::filesystem::path& path);

/// Moves a name; replaces a file or a link of the new name. @throws error `storage_*`.
void rename_path(const std::filesystem::path& from, const std::filesystem::path& to);

/// Swaps what two existing names mean in one step. False when the file system cannot.
/// @throws error `storage_*`.
bool exchange_paths(const std::filesystem::path& a, const std::filesystem::path& b);

/// A second name of the same file; a copy where the file system has no such links.
/// @throws error `storage_*`.
void link_or_copy(const std::filesystem::path& from, const std::filesystem::path& to);

/// A symbolic link of the name `at`, which must not exist. @throws error `storage_*`.
void make_symlink(const std::filesystem::path& target, const std::filesystem::path& at);

/// Removes one name that is no folder; nothing there is fine. @throws error `storage_*`.
void remove_name(const std::filesystem::path& path);

/// Removes a folder with all below, never following links; nothing there is fine.
/// @throws error `storage_*`.
void remove_tree(const std::filesystem::path& path);

/// Removes at most `most` names of a folder with all below, deepest first, never following links.
/// @returns how many were removed; the folder is gone when they are fewer than `most`.
/// @throws error `storage_*`.
size_t remove_some(const std::filesystem::path& path, size_t most);

/// The bytes of a text.
inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}

} // namespace musetalk::pipeline
