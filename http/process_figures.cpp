#include "http/process_figures.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace musetalk::http {

namespace {

uint64_t count_open_files() {
  auto* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr)
    return 0;
  auto result = uint64_t{0};
  while (::readdir(folder) != nullptr)
    ++result;
  ::closedir(folder);
  // Without `.`, `..` and the folder that is being read.
  return result > 3 ? result - 3 : 0;
}

double boot_time_s() {
  auto file = std::ifstream{"/proc/stat"};
  for (auto line = std::string{}; std::getline(file, line);)
    if (line.starts_with("btime "))
      return std::stod(line.substr(6));
  return 0.;
}

} // namespace

process_figures read_process_figures() {
  auto result = process_figures{};
  auto file = std::ifstream{"/proc/self/stat"};
  auto line = std::string{};
  std::getline(file, line);
  // The name in brackets may hold anything; numbers begin behind it with the third field.
  if (auto end = line.rfind(')'); end != std::string::npos) {
    auto fields = std::istringstream{line.substr(end + 1)};
    auto state = std::string{};
    fields >> state;
    auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    auto value = 0.;
    for (auto number = 4; fields >> value && number <= 24; ++number) {
      if (number == 14 || number == 15)
        result.cpu_seconds += value / ticks;
      else if (number == 20)
        result.threads = static_cast<uint64_t>(value);
      else if (number == 22)
        result.start_time_s = boot_time_s() + value / ticks;
      else if (number == 23)
        result.virtual_bytes = static_cast<uint64_t>(value);
      else if (number == 24)
        result.resident_bytes =
            static_cast<uint64_t>(value) * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
    }
  }
  result.open_files = count_open_files();
  if (auto limit = rlimit{}; ::getrlimit(RLIMIT_NOFILE, &limit) == 0)
    result.max_files = limit.rlim_cur;
  return result;
}

} // namespace musetalk::http
