#include "http/idle_threads.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace musetalk::http {

void let_idle_threads_sleep(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr)
    return;
  auto unknown = std::error_code{};
  // By its own name: tools that look for the process would not know "exe".
  const auto program = std::filesystem::read_symlink("/proc/self/exe", unknown);
  if (unknown || ::setenv("OMP_WAIT_POLICY", "PASSIVE", 1) != 0)
    return;
  // Returns only when it fails. Threads that spin are slower, not wrong.
  ::execv(program.c_str(), argv);
}

} // namespace musetalk::http
