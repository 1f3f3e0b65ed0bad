#include "http/instance_lock.hpp"

#include "errors/error.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

namespace musetalk::http {

namespace {

/// The process id that the holder wrote; for people.
std::string holder_of(int fd) {
  auto text = std::array<char, 16>{};
  auto length = ::pread(fd, text.data(), text.size() - 1, 0);
  return length > 0 ? std::string{text.data(), static_cast<size_t>(length)} : "unknown";
}

} // namespace

instance_lock::instance_lock(const std::filesystem::path& folder) {
  auto fault = std::error_code{};
  std::filesystem::create_directories(folder, fault);
  auto file = folder / ".musetalkd.lock";
  fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd_ < 0)
    throw error{errc::storage_failed, "AVATARS_DIR=" + folder.string() +
                                          " cannot be written: " + std::strerror(errno) + "."};
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    auto holder = holder_of(fd_);
    ::close(fd_);
    throw error{errc::settings_invalid, "AVATARS_DIR=" + folder.string() +
                                            " is in use by another musetalkd (process " + holder +
                                            ")."};
  }
  auto id = std::to_string(::getpid());
  if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, id.data(), id.size(), 0) < 0) {
    // The lock holds without the note in it; a full disk must not keep the service from starting.
  }
}

instance_lock::~instance_lock() {
  ::close(fd_);
}

} // namespace musetalk::http
