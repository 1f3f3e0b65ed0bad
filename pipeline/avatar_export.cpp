#include "pipeline/avatar_export.hpp"

#include "errors/error.hpp"
#include "pipeline/file_ops.hpp"
#include "pipeline/tar_writer.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>
#include <vector>

namespace musetalk::pipeline {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view single_files[] = {
    "manifest.json", "avator_info.json", "avatar_info.txt",   "coords.pkl", "mask_coords.pkl",
    "latents.pt",    "video.mp4",        "contact_sheet.jpg", "preview.jpg"};

/// `full_imgs/00000007.png`; other programs write fewer digits.
bool is_picture(std::string_view path, std::string_view folder) {
  constexpr auto ending = std::string_view{".png"};
  if (!path.starts_with(folder) || !path.ends_with(ending) ||
      path.size() <= folder.size() + ending.size() + 1 || path[folder.size()] != '/')
    return false;
  auto stem = path.substr(folder.size() + 1, path.size() - folder.size() - 1 - ending.size());
  return stem.size() <= 8 &&
         std::all_of(stem.begin(), stem.end(), [](char c) { return c >= '0' && c <= '9'; });
}

struct part {
  std::string path; ///< Below the version's folder.
  uint64_t bytes = 0;
  std::string first; ///< The name that it is a second one of; empty: it has bytes.
};

std::vector<std::string> names_in(const fs::path& folder, const std::string& prefix) {
  auto result = std::vector<std::string>{};
  auto reason = std::error_code{};
  auto entries = fs::directory_iterator{folder, reason};
  for (; !reason && entries != fs::directory_iterator{}; entries.increment(reason))
    result.push_back(prefix + entries->path().filename().string());
  if (reason && reason != std::errc::no_such_file_or_directory)
    throw_storage_error(reason.value(), "listing a version", folder);
  std::sort(result.begin(), result.end());
  return result;
}

} // namespace

bool is_avatar_file(const std::string& path) {
  return std::find(std::begin(single_files), std::end(single_files), path) !=
             std::end(single_files) ||
         is_picture(path, "full_imgs") || is_picture(path, "mask");
}

struct avatar_export::impl {
  impl(const fs::path& folder, std::string top) : name(std::move(top)) {
    root = file{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), folder};
    if (!root)
      throw error(errc::version_not_found, "The files of that version are not there.");
    // Through the open folder: it may be moved to the trash meanwhile.
    auto here = fs::path{"/proc/self/fd"} / std::to_string(root.descriptor());
    for (const auto& path : names_in(here, ""))
      add(path);
    for (const auto* below : {"full_imgs", "mask"})
      for (const auto& path : names_in(here / below, std::string{below} + "/"))
        add(path);
    if (parts.empty())
      throw error(errc::version_not_found, "The version has no files.");
  }

  void add(const std::string& path) {
    struct stat status {};
    if (!is_avatar_file(path) ||
        ::fstatat(root.descriptor(), path.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode))
      return;
    mtime_s = std::max<int64_t>(mtime_s, status.st_mtim.tv_sec);
    auto next = part{path, static_cast<uint64_t>(status.st_size), ""};
    if (status.st_nlink > 1) {
      auto [found, is_first] = names.emplace(status.st_ino, path);
      if (!is_first)
        next.first = found->second;
    }
    total += tar_block_bytes;
    if (next.first.empty())
      total += next.bytes + tar_padding(next.bytes);
    parts.push_back(std::move(next));
  }

  [[noreturn]] void damaged(const std::string& path, const std::string& what) const {
    throw error(errc::avatar_damaged, path + " " + what + " while it was read.");
  }

  void begin_part() {
    const auto& x = parts[next];
    if (!x.first.empty()) {
      pending = tar_link_header(name + "/" + x.path, name + "/" + x.first, mtime_s);
      ++next;
      return;
    }
    pending = tar_file_header(name + "/" + x.path, x.bytes, mtime_s);
    source = file{
        ::openat(root.descriptor(), x.path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC),
        x.path};
    if (!source)
      damaged(x.path, "went away");
    left = x.bytes;
  }

  size_t read_file_piece(std::span<std::byte> buffer) {
    const auto& x = parts[next];
    auto count = left > 0 ? source.read_some(buffer.first(std::min<uint64_t>(left, buffer.size())))
                          : size_t{0};
    if (left > 0 && count == 0)
      damaged(x.path, "became shorter");
    left -= count;
    if (left == 0) {
      source = {};
      pending = std::string(tar_padding(x.bytes), '\0');
      ++next;
    }
    return count;
  }

  size_t take_pending(std::span<std::byte> buffer) {
    auto count = std::min(buffer.size(), pending.size());
    std::copy_n(bytes_of(pending).begin(), count, buffer.begin());
    pending.erase(0, count);
    return count;
  }

  /// Some bytes, or none at the end.
  size_t read_some(std::span<std::byte> buffer) {
    while (pending.empty() && !ended) {
      if (source) {
        if (auto count = read_file_piece(buffer); count > 0)
          return count;
      } else if (next < parts.size()) {
        begin_part();
      } else {
        pending = tar_end();
        ended = true;
      }
    }
    return take_pending(buffer);
  }

  std::string name;
  file root;
  std::vector<part> parts;
  std::map<uint64_t, std::string> names; ///< Of files that have several, by number.
  int64_t mtime_s = 0;
  uint64_t total = 2 * tar_block_bytes;
  size_t next = 0;
  file source; ///< The file at hand.
  uint64_t left = 0;
  std::string pending; ///< To be given before anything else.
  bool ended = false;
};

avatar_export::avatar_export(const fs::path& folder, const std::string& name)
    : impl_(std::make_unique<impl>(folder, name)) {
  // nop
}

avatar_export::avatar_export(avatar_export&&) noexcept = default;
avatar_export& avatar_export::operator=(avatar_export&&) noexcept = default;
avatar_export::~avatar_export() = default;

uint64_t avatar_export::bytes() const noexcept {
  return impl_->total;
}

size_t avatar_export::read(std::span<std::byte> buffer) {
  auto done = size_t{0};
  while (done < buffer.size()) {
    auto count = impl_->read_some(buffer.subspan(done));
    if (count == 0)
      break;
    done += count;
  }
  return done;
}

} // namespace musetalk::pipeline
