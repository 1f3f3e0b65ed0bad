#include "tests/pipeline/fault_shim.hpp"

#include <sys/stat.h>
#include <sys/types.h>

#include <cerrno>
#include <cstdarg>
#include <fcntl.h>
#include <mutex>

namespace musetalk::test {

namespace {

std::mutex guard;
fault_shim::plan current;
int seen = 0;

/// The errno with which the call must fail, or 0.
int ask(const char* call) {
  std::lock_guard lock{guard};
  return current ? current(call, seen++) : 0;
}

} // namespace

fault_shim::fault_shim(plan next) {
  std::lock_guard lock{guard};
  current = std::move(next);
  seen = 0;
}

fault_shim::~fault_shim() {
  std::lock_guard lock{guard};
  current = nullptr;
}

int fault_shim::count() const {
  std::lock_guard lock{guard};
  return seen;
}

} // namespace musetalk::test

// NOLINTBEGIN: the names are the linker's
#define MUSETALK_WRAP(type, name, parameters, arguments)                                           \
  type __real_##name parameters;                                                                   \
  type __wrap_##name parameters {                                                                  \
    if (auto reason = musetalk::test::ask(#name); reason != 0) {                                   \
      errno = reason;                                                                              \
      return -1;                                                                                   \
    }                                                                                              \
    return __real_##name arguments;                                                                \
  }

extern "C" {

MUSETALK_WRAP(ssize_t, write, (int fd, const void* bytes, size_t count), (fd, bytes, count))
MUSETALK_WRAP(int, fsync, (int fd), (fd))
MUSETALK_WRAP(int, syncfs, (int fd), (fd))
MUSETALK_WRAP(int, mkdir, (const char* path, mode_t mode), (path, mode))
MUSETALK_WRAP(int, link, (const char* from, const char* to), (from, to))
MUSETALK_WRAP(int, symlink, (const char* target, const char* at), (target, at))
MUSETALK_WRAP(int, unlink, (const char* path), (path))
MUSETALK_WRAP(int, rename, (const char* from, const char* to), (from, to))
MUSETALK_WRAP(int, renameat2, (int a, const char* from, int b, const char* to, unsigned flags),
              (a, from, b, to, flags))

int __real_open(const char* path, int flags, ...);

// Only making a file changes the disk; reading one may go on.
int __wrap_open(const char* path, int flags, ...) {
  auto mode = mode_t{0};
  if ((flags & O_CREAT) != 0) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    va_end(rest);
    if (auto reason = musetalk::test::ask("open"); reason != 0) {
      errno = reason;
      return -1;
    }
  }
  return __real_open(path, flags, mode);
}
}
// NOLINTEND
