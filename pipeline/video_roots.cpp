#include "pipeline/video_roots.hpp"

#include "errors/error.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <optional>
#include <system_error>
#include <vector>

namespace musetalk::pipeline {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void forbid(const std::string& cause) {
  throw error(errc::video_path_forbidden,
              "video_path does not lie below one of the folders that this service may read.",
              cause);
}

[[noreturn]] void not_found(const std::string& cause) {
  throw error(errc::video_path_not_found, "There is no plain file at video_path.", cause);
}

/// True when `path` is `root` or below it; both absolute and normal.
bool lies_below(const fs::path& root, const fs::path& path) {
  return std::mismatch(root.begin(), root.end(), path.begin(), path.end()).first == root.end();
}

/// Where the kernel would arrive, links followed, as far as there is something.
/// @returns The deepest existing part, without links; `complete` when that is all of it.
struct arrival {
  fs::path path;
  bool complete = true;
};

arrival follow(fs::path path) {
  auto complete = true;
  while (true) {
    auto reason = std::error_code{};
    if (auto real = fs::canonical(path, reason); !reason)
      return {real, complete};
    complete = false;
    if (!path.has_relative_path())
      return {path, false};
    path = path.parent_path();
  }
}

/// Opens a path without links one part at a time; nothing when a part is a link by now, or absent.
std::optional<file> open_without_links(const fs::path& path) {
  auto at = file{::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "/"};
  auto parts = path.relative_path();
  for (auto part = parts.begin(); at && part != parts.end(); ++part) {
    auto last = std::next(part) == parts.end();
    // O_NONBLOCK: a pipe without a writer must not hold us up
    auto flags = last ? O_RDONLY | O_NONBLOCK : O_PATH | O_DIRECTORY;
    at = file{::openat(at.descriptor(), part->c_str(), flags | O_NOFOLLOW | O_CLOEXEC), path};
  }
  if (!at)
    return std::nullopt;
  return at;
}

} // namespace

rooted_video open_below(std::span<const fs::path> roots, const std::string& user_path) {
  if (user_path.empty() || user_path.size() >= PATH_MAX ||
      user_path.find('\0') != std::string::npos)
    throw error(errc::request_field_invalid, "video_path has " + std::to_string(user_path.size()) +
                                                 " bytes; it must have 1 to " +
                                                 std::to_string(PATH_MAX - 1) +
                                                 " and no NUL among them.");
  auto real_roots = std::vector<fs::path>{};
  auto candidates = std::vector<fs::path>{};
  for (const auto& root : roots) {
    auto reason = std::error_code{};
    auto real = fs::canonical(root, reason);
    if (reason)
      continue;
    real_roots.push_back(real);
    // Before the disk is asked: outside of the roots nothing can be told apart.
    auto asked = fs::path{user_path};
    for (const auto& base : {real, fs::absolute(root).lexically_normal()})
      if (auto path = (base / asked).lexically_normal(); lies_below(base, path))
        candidates.push_back(base / asked);
  }
  if (candidates.empty())
    forbid("outside of all roots: " + user_path);
  auto missing = false;
  for (const auto& candidate : candidates) {
    auto [path, complete] = follow(candidate);
    auto inside = std::any_of(real_roots.begin(), real_roots.end(),
                              [&](const auto& root) { return lies_below(root, path); });
    missing = missing || (inside && !complete);
    if (!inside || !complete)
      continue;
    auto opened = open_without_links(path);
    struct stat status {};
    if (!opened || ::fstat(opened->descriptor(), &status) != 0 || !S_ISREG(status.st_mode))
      not_found("no plain file: " + path.string());
    return {path, std::move(*opened), static_cast<uint64_t>(status.st_size)};
  }
  if (missing)
    not_found("nothing there: " + user_path);
  forbid("a link leads out of all roots: " + user_path);
}

} // namespace musetalk::pipeline
