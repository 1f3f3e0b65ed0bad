// The failpoints of the test server `musetalkd_failpoints`: what the shipped program leaves empty.
//
//   FAILPOINT=publish.switch=kill@1      ends the process at the first hit, as kill -9 does
//   FAILPOINT=spool.sync=eio@2           fails the second; enospc as well
//   FAILPOINT=frames.write=enospc@3+     fails the third and all after it
//   FAILPOINT_TRACE=FILE                 appends the name of every hit
//
// Several with commas between them.

#include "pipeline/failpoint.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

/// One that is armed.
struct trap {
  std::string name;
  int reason = 0; ///< 0: kill.
  int at = 1;
  bool always = false; ///< Also all hits after that.
  std::atomic<int> hits = 0;

  trap(std::string_view text) {
    auto equals = text.find('=');
    auto number = text.find('@', equals);
    name = text.substr(0, equals);
    auto action = text.substr(equals + 1, number - equals - 1);
    reason = action == "enospc" ? ENOSPC : action == "eio" ? EIO : 0;
    at = std::atoi(std::string{text.substr(number + 1)}.c_str());
    always = text.ends_with('+');
    if (reason == 0 && action != "kill")
      std::abort();
  }
  trap(trap&& x) : name(std::move(x.name)), reason(x.reason), at(x.at), always(x.always) {}
};

struct plan {
  std::vector<trap> traps;
  int trace = -1;

  plan() {
    if (auto text = std::getenv("FAILPOINT"))
      for (auto rest = std::string_view{text}; !rest.empty();) {
        auto end = rest.find(',');
        traps.emplace_back(rest.substr(0, end));
        rest = end == rest.npos ? std::string_view{} : rest.substr(end + 1);
      }
    if (auto file = std::getenv("FAILPOINT_TRACE"))
      trace = ::open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  }
};

plan& armed() {
  static auto result = plan{};
  return result;
}

// -- the catalog's own writes ------------------------------------------------------

sqlite3_syscall_ptr real_write = nullptr;

/// SQLite writes its pages through this, wherever it writes.
ssize_t write_page(int fd, const void* bytes, size_t count, off64_t at) {
  if (auto reason = musetalk::pipeline::failpoint("catalog.page"); reason != 0) {
    errno = reason;
    return -1;
  }
  return reinterpret_cast<ssize_t (*)(int, const void*, size_t, off64_t)>(real_write)(fd, bytes,
                                                                                      count, at);
}

/// Before anything opens a catalog.
const auto catalog_is_watched = [] {
  auto vfs = sqlite3_vfs_find(nullptr);
  for (auto name : {"pwrite64", "pwrite"})
    if (auto call = vfs->xGetSystemCall(vfs, name); call != nullptr && real_write == nullptr) {
      real_write = call;
      vfs->xSetSystemCall(vfs, name, reinterpret_cast<sqlite3_syscall_ptr>(write_page));
    }
  return real_write != nullptr;
}();

} // namespace

namespace musetalk::pipeline {

int failpoint(const char* name, const char* part) noexcept {
  auto& now = armed();
  auto full = std::string{name} + part;
  if (now.trace >= 0) {
    auto line = full + "\n";
    [[maybe_unused]] auto put = ::write(now.trace, line.data(), line.size());
  }
  for (auto& x : now.traps) {
    if (x.name != full)
      continue;
    auto hit = ++x.hits;
    if (hit != x.at && !(x.always && hit > x.at))
      continue;
    if (x.reason != 0)
      return x.reason;
    ::kill(::getpid(), SIGKILL);
    ::pause();
  }
  return 0;
}

} // namespace musetalk::pipeline
