#include "models/checkpoint/mapped_file.hpp"

#include "errors/error.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace musetalk::models {

mapped_file::mapped_file(const std::filesystem::path& path) {
  // O_NONBLOCK: a pipe in the place of a file must not hang the start.
  auto fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  auto name = path.filename().string();
  if (fd < 0)
    throw error{errc::models_missing, name + ": the weight file is not there or may not be read",
                path.string() + ": " + std::strerror(errno)};
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    throw error{errc::models_invalid, name + ": not a plain file", path.string()};
  }
  auto size = static_cast<size_t>(info.st_size);
  if (size > 0) {
    auto* at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    auto why = errno;
    ::close(fd);
    if (at == MAP_FAILED)
      throw error{errc::models_invalid, name + ": cannot be mapped into memory",
                  path.string() + ": " + std::strerror(why)};
    bytes_ = {static_cast<const std::byte*>(at), size};
  } else {
    ::close(fd);
  }
}

mapped_file::mapped_file(mapped_file&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {
  // nop
}

mapped_file& mapped_file::operator=(mapped_file&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

mapped_file::~mapped_file() {
  if (!bytes_.empty())
    ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

void mapped_file::release(std::span<const std::byte> part) const noexcept {
  // Inner whole pages only: a neighbour may still be in use.
  auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  auto first = (reinterpret_cast<uintptr_t>(part.data()) + page - 1) / page * page;
  auto last = (reinterpret_cast<uintptr_t>(part.data()) + part.size()) / page * page;
  if (first < last)
    ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

} // namespace musetalk::models
