#include "pipeline/disk_reserve.hpp"

#include "pipeline/disk.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <system_error>
#include <utility>

namespace musetalk::pipeline {

disk_reserve::disk_reserve(std::filesystem::path file, uint64_t bytes)
    : file_(std::move(file)), bytes_(bytes) {
  // One that an earlier process left counts, whatever its size: made anew.
  auto ignored = std::error_code{};
  std::filesystem::remove(file_, ignored);
  refill();
}

bool disk_reserve::release() noexcept {
  auto failure = std::error_code{};
  return std::exchange(held_, false) && std::filesystem::remove(file_, failure) && !failure;
}

void disk_reserve::refill() noexcept {
  if (held_)
    return;
  const auto space = disk_space_of(file_);
  if (!space || space->free_bytes < 4 * bytes_)
    return;
  const auto fd = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return;
  held_ = ::posix_fallocate(fd, 0, static_cast<off_t>(bytes_)) == 0;
  ::close(fd);
  if (!held_)
    ::unlink(file_.c_str());
}

} // namespace musetalk::pipeline
