#include "pipeline/link_version.hpp"

#include "errors/error.hpp"
#include "pipeline/contact_sheet.hpp"
#include "pipeline/file_ops.hpp"
#include "pipeline/place_version.hpp"
#include "pipeline/preview.hpp"
#include "pipeline/store_names.hpp"
#include "pipeline/time.hpp"
#include "pipeline/version_manifest.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <string>
#include <utility>

namespace musetalk::pipeline {

namespace fs = std::filesystem;

namespace {

constexpr auto sheet_name = "contact_sheet.jpg";
constexpr uint64_t max_sheet_bytes = uint64_t{32} << 20;

/// Removes what was made, unless it was put in its place.
class half_version {
public:
  explicit half_version(fs::path folder) : folder_(std::move(folder)) {
    remove_tree(folder_);
    make_folder(folder_);
  }
  half_version(const half_version&) = delete;
  half_version& operator=(const half_version&) = delete;
  ~half_version() {
    auto ignored = std::error_code{};
    if (!kept_)
      fs::remove_all(folder_, ignored);
  }

  const fs::path& folder() const { return folder_; }
  void keep() { kept_ = true; }

private:
  fs::path folder_;
  bool kept_ = false;
};

/// Names the avatar: written anew for each.
bool is_own(const std::string& name) {
  return name == "avatar_info.txt" || name == "avator_info.json" || name == sheet_name;
}

bool has_two_names(const fs::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && status.st_nlink > 1;
}

file_sum write_synced(const fs::path& path, std::span<const std::byte> bytes) {
  auto target = create_file(path);
  target.write(bytes);
  target.sync();
  target.close();
  return {bytes.size(), sha256_of(bytes)};
}

/// Everything below the folder is on the disk afterwards.
void sync_all(const fs::path& folder, const std::set<std::string>& subfolders, bool copied) {
  for (const auto& name : subfolders)
    sync_folder(folder / name);
  sync_folder(folder);
  if (!copied)
    return;
  auto watch = file{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), folder};
  if (!watch || ::syncfs(watch.descriptor()) != 0)
    throw_storage_error(errno, "syncing", folder);
}

/// The sheet shows the avatar's id, which is nobody else's business.
file_sum copy_sheet(const fs::path& from, const fs::path& to, const std::string& avatar_id) {
  auto bytes = encode_jpeg(with_title(decode_jpeg(read_file(from, max_sheet_bytes)), avatar_id));
  return write_synced(to, std::as_bytes(std::span{bytes}));
}

} // namespace

avatar_version link_version(const store_layout& layout, const link_plan& plan) {
  auto source = layout.version(plan.from.avatar_id, plan.from.version);
  auto reason = std::error_code{};
  if (!fs::is_directory(fs::symlink_status(source, reason)))
    throw error(errc::version_not_found, "The files of that version are not there.");
  auto manifest = read_manifest(source);
  check_lengths(source, manifest);
  auto made = half_version{layout.staging(plan.job_id)};
  auto subfolders = std::set<std::string>{};
  auto copied = false;
  for (const auto& [path, sum] : manifest.files) {
    if (is_own(path))
      continue;
    auto folder = fs::path{path}.parent_path().string();
    if (!folder.empty() && subfolders.insert(folder).second)
      make_folder(made.folder() / folder);
    link_or_copy(source / path, made.folder() / path);
    copied = copied || !has_two_names(made.folder() / path);
  }
  manifest.avatar_id = plan.avatar_id;
  manifest.tutor_id = plan.tutor_id;
  manifest.video_name = plan.video_name;
  manifest.version.version = next_version_name(layout, plan.avatar_id);
  manifest.version.created_us = now_us();
  manifest.version.job_id = plan.job_id;
  auto& files = manifest.files;
  files.erase("avatar_info.txt");
  files.erase("avator_info.json");
  if (files.contains(sheet_name))
    files[sheet_name] = copy_sheet(source / sheet_name, made.folder() / sheet_name, plan.avatar_id);
  auto info = avatar_info_text(manifest);
  files["avatar_info.txt"] = write_synced(made.folder() / "avatar_info.txt", bytes_of(info));
  auto video = (layout.link(plan.avatar_id) / "video.mp4").string();
  auto upstream = avator_info_text(plan.avatar_id, video);
  files["avator_info.json"] = write_synced(made.folder() / "avator_info.json", bytes_of(upstream));
  manifest.version.bytes = stored_bytes(manifest);
  sync_all(made.folder(), subfolders, copied);
  // The manifest is last: where it is, everything is.
  write_synced(made.folder() / "manifest.json", bytes_of(to_json_text(manifest)));
  sync_folder(made.folder());
  place_version(layout, plan.job_id, plan.avatar_id, manifest.version.version);
  made.keep();
  return manifest.version;
}

} // namespace musetalk::pipeline
