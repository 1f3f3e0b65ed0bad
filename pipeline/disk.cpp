#include "pipeline/disk.hpp"

#include <sys/statvfs.h>

#include <cerrno>

namespace musetalk::pipeline {

std::optional<disk_space> disk_space_of(std::filesystem::path path) {
  if (path.empty())
    path = ".";
  while (true) {
    struct statvfs status {};
    if (::statvfs(path.c_str(), &status) == 0)
      return disk_space{static_cast<uint64_t>(status.f_bavail) * status.f_frsize,
                        static_cast<uint64_t>(status.f_blocks) * status.f_frsize};
    if (errno != ENOENT && errno != ENOTDIR)
      return std::nullopt;
    auto parent = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
    if (parent == path)
      return std::nullopt;
    path = parent;
  }
}

} // namespace musetalk::pipeline
