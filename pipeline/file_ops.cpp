#include "pipeline/file_ops.hpp"

#include "errors/error.hpp"
#include "pipeline/disk.hpp"
#include "pipeline/sync_figures.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

namespace musetalk::pipeline {

namespace fs = std::filesystem;

void throw_storage_error(int error_number, std::string_view step, const fs::path& where,
                         uint64_t wanted_bytes) {
  auto cause = std::generic_category().message(error_number) + ": " + where.string();
  if (error_number != ENOSPC && error_number != EDQUOT)
    throw error(errc::storage_failed, "The disk failed at " + std::string{step} + ".", cause);
  auto detail = "No space is left on the disk at " + std::string{step};
  if (wanted_bytes > 0)
    detail += ": " + std::to_string(wanted_bytes) + " bytes were to be written";
  if (auto space = disk_space_of(where))
    detail += (wanted_bytes > 0 ? ", " : ": ") + std::to_string(space->free_bytes) + " of " +
              std::to_string(space->total_bytes) + " bytes are free";
  throw error(errc::storage_full, detail + ".", cause);
}

// -- file ----------------------------------------------------------------------

file::file(int descriptor, fs::path path) : descriptor_(descriptor), path_(std::move(path)) {
  // nop
}

file::file(file&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {
  // nop
}

file& file::operator=(file&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  return *this;
}

file::~file() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

void file::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    auto count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      throw_storage_error(errno, "writing", path_, bytes.size());
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
}

size_t file::read_some(std::span<std::byte> buffer) {
  while (true) {
    auto count = ::read(descriptor_, buffer.data(), buffer.size());
    if (count >= 0)
      return static_cast<size_t>(count);
    if (errno != EINTR)
      throw_storage_error(errno, "reading", path_);
  }
}

bool file::read_at(uint64_t offset, std::span<std::byte> buffer) {
  while (!buffer.empty()) {
    auto count = ::pread(descriptor_, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      throw_storage_error(errno, "reading", path_);
    if (count == 0)
      return false;
    offset += static_cast<uint64_t>(count);
    buffer = buffer.subspan(static_cast<size_t>(count));
  }
  return true;
}

uint64_t file::size() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0)
    throw_storage_error(errno, "reading", path_);
  return static_cast<uint64_t>(status.st_size);
}

void file::sync() {
  auto began = std::chrono::steady_clock::now();
  if (::fsync(descriptor_) != 0)
    throw_storage_error(errno, "syncing", path_);
  note_sync(std::chrono::nanoseconds{std::chrono::steady_clock::now() - began}.count());
}

void file::close() {
  // Linux gives the descriptor back even when close fails.
  if (auto descriptor = std::exchange(descriptor_, -1);
      descriptor >= 0 && ::close(descriptor) != 0 && errno != EINTR)
    throw_storage_error(errno, "writing", path_);
}

// -- whole files ---------------------------------------------------------------

file create_file(const fs::path& path) {
  auto descriptor =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (descriptor < 0)
    throw_storage_error(errno, "making a file", path);
  return file{descriptor, path};
}

file open_for_reading(const fs::path& path) {
  auto descriptor = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0)
    throw_storage_error(errno, "opening a file", path);
  auto result = file{descriptor, path};
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))
    throw error(errc::storage_failed, "What should be a file is none.", path.string());
  return result;
}

std::string read_file(const fs::path& path, uint64_t max_bytes) {
  auto source = open_for_reading(path);
  auto size = source.size();
  if (size > max_bytes)
    throw error(errc::storage_failed,
                "A file has " + std::to_string(size) + " bytes; the limit is " +
                    std::to_string(max_bytes) + ".",
                path.string());
  auto text = std::string(size, '\0');
  if (!source.read_at(0, std::as_writable_bytes(std::span{text.data(), text.size()})))
    throw error(errc::storage_failed, "A file became shorter while it was read.", path.string());
  return text;
}

void write_file(const fs::path& path, std::span<const std::byte> bytes) {
  auto target = create_file(path);
  target.write(bytes);
  target.close();
}

// -- names ---------------------------------------------------------------------

void sync_folder(const fs::path& path) {
  auto descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0)
    throw_storage_error(errno, "opening a folder", path);
  file{descriptor, path}.sync();
}

void make_folder(const fs::path& path) {
  if (::mkdir(path.c_str(), 0755) == 0)
    return;
  auto reason = errno;
  struct stat status {};
  if (reason == EEXIST && ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode))
    return;
  throw_storage_error(reason, "making a folder", path);
}

void rename_path(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0)
    throw_storage_error(errno, "renaming", to);
}

bool exchange_paths(const fs::path& a, const fs::path& b) {
  if (::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0)
    return true;
  if (errno == EINVAL || errno == ENOSYS || errno == ENOTSUP)
    return false;
  throw_storage_error(errno, "renaming", b);
}

void link_or_copy(const fs::path& from, const fs::path& to) {
  if (::link(from.c_str(), to.c_str()) == 0)
    return;
  // no such links here, too many of one file, or a boundary between file systems
  if (errno != EPERM && errno != ENOTSUP && errno != EMLINK && errno != EXDEV && errno != ENOSYS)
    throw_storage_error(errno, "linking a file", to);
  auto source = open_for_reading(from);
  auto target = create_file(to);
  std::byte buffer[1 << 16];
  while (auto count = source.read_some(buffer))
    target.write(std::span{buffer}.first(count));
  target.close();
}

void make_symlink(const fs::path& target, const fs::path& at) {
  if (::symlink(target.c_str(), at.c_str()) != 0)
    throw_storage_error(errno, "linking a folder", at);
}

void remove_name(const fs::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    throw_storage_error(errno, "removing a file", path);
}

void remove_tree(const fs::path& path) {
  auto reason = std::error_code{};
  fs::remove_all(path, reason);
  if (reason)
    throw_storage_error(reason.value(), "removing a folder", path);
}

size_t remove_some(const fs::path& path, size_t most) {
  auto removed = size_t{0};
  auto reason = std::error_code{};
  if (fs::symlink_status(path, reason).type() == fs::file_type::directory) {
    auto entries = fs::directory_iterator{path, reason};
    for (; !reason && entries != fs::directory_iterator{}; entries.increment(reason)) {
      removed += remove_some(entries->path(), most - removed);
      if (removed == most)
        return removed;
    }
  }
  if (!reason && most > 0 && fs::remove(path, reason))
    ++removed;
  if (reason && reason != std::errc::no_such_file_or_directory)
    throw_storage_error(reason.value(), "removing a folder", path);
  return removed;
}

} // namespace musetalk::pipeline
