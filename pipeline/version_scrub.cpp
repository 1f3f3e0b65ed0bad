#include "pipeline/version_scrub.hpp"

#include "errors/error.hpp"
#include "pipeline/file_ops.hpp"
#include "pipeline/sha256.hpp"
#include "pipeline/version_manifest.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace musetalk::pipeline {

namespace fs = std::filesystem;

namespace {

constexpr auto piece_bytes = size_t{1} << 18;

/// What looks like damage while the folder is being removed is none.
template <class F>
auto unless_gone(const fs::path& folder, F&& look) {
  try {
    return look();
  } catch (const error&) {
    auto reason = std::error_code{};
    if (fs::symlink_status(folder, reason).type() == fs::file_type::not_found)
      throw error(errc::version_not_found, "The version is not there any more.");
    throw;
  }
}

} // namespace

struct version_scrub::impl {
  explicit impl(fs::path path) : folder(std::move(path)), buffer(piece_bytes) {
    unless_gone(folder, [&] {
      auto manifest = read_manifest(folder);
      check_lengths(folder, manifest);
      files = std::move(manifest.files);
      return true;
    });
    next = files.begin();
  }

  /// Its sum, when the same file was read under another name.
  std::optional<std::string> known_sum() {
    struct stat status {};
    if (::lstat((folder / next->first).c_str(), &status) != 0)
      throw error(errc::avatar_damaged, next->first + " is missing.");
    node = status.st_ino;
    auto found = sums.find(node);
    return found == sums.end() ? std::nullopt : std::optional{found->second};
  }

  void compare(const std::string& sum) {
    if (sum != next->second.sha256)
      throw error(errc::avatar_damaged, next->first + " differs from its checksum.");
    ++next;
  }

  /// Reads a piece of the file at hand. @returns its size.
  uint64_t read_piece() {
    if (!open) {
      if (auto sum = known_sum()) {
        compare(*sum);
        return 0;
      }
      open = open_for_reading(folder / next->first);
      hash = sha256{};
    }
    auto count = open->read_some(buffer);
    hash.update(std::span{buffer}.first(count));
    if (count > 0)
      return count;
    open.reset();
    auto sum = hash.finish();
    sums[node] = sum;
    compare(sum);
    return 0;
  }

  fs::path folder;
  std::map<std::string, file_sum> files;
  std::map<std::string, file_sum>::iterator next;
  std::map<uint64_t, std::string> sums; ///< By number of the file.
  uint64_t node = 0;                    ///< Number of the file at hand.
  std::optional<file> open;
  sha256 hash;
  std::vector<std::byte> buffer;
};

version_scrub::version_scrub(const fs::path& folder) : impl_(std::make_unique<impl>(folder)) {
  // nop
}

version_scrub::version_scrub(version_scrub&&) noexcept = default;
version_scrub& version_scrub::operator=(version_scrub&&) noexcept = default;
version_scrub::~version_scrub() = default;

bool version_scrub::step(uint64_t bytes) {
  return unless_gone(impl_->folder, [&] {
    auto done = uint64_t{0};
    while (done < bytes && impl_->next != impl_->files.end())
      done += impl_->read_piece();
    return impl_->next == impl_->files.end();
  });
}

} // namespace musetalk::pipeline
