#include "pipeline/store_recovery.hpp"

#include "errors/error.hpp"
#include "pipeline/avatar_check.hpp"
#include "pipeline/damaged_version.hpp"
#include "pipeline/failpoint.hpp"
#include "pipeline/file_ops.hpp"
#include "pipeline/ids.hpp"
#include "pipeline/place_version.hpp"
#include "pipeline/store_names.hpp"
#include "pipeline/time.hpp"
#include "pipeline/version_manifest.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace musetalk::pipeline {

namespace fs = std::filesystem;

namespace {

/// Names in a folder, sorted. A folder that cannot be listed is an error, one that is absent empty.
std::vector<std::string> names_in(const fs::path& folder) {
  auto result = std::vector<std::string>{};
  auto reason = std::error_code{};
  auto entries = fs::directory_iterator{folder, reason};
  for (; !reason && entries != fs::directory_iterator{}; entries.increment(reason))
    result.push_back(entries->path().filename().string());
  if (reason && reason != std::errc::no_such_file_or_directory)
    throw_storage_error(reason.value(), "listing a folder", folder);
  std::sort(result.begin(), result.end());
  return result;
}

bool is_folder(const fs::path& path) {
  auto reason = std::error_code{};
  return fs::symlink_status(path, reason).type() == fs::file_type::directory;
}

/// Last change of a folder, as the time when a plain avatar was made.
timestamp_us changed_at(const fs::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0)
    return 0;
  return static_cast<timestamp_us>(status.st_mtim.tv_sec) * 1'000'000 +
         status.st_mtim.tv_nsec / 1000;
}

/// Bytes of the plain files below a folder; those with several names count once.
uint64_t bytes_below(const fs::path& folder) {
  auto total = uint64_t{0};
  auto seen = std::set<ino_t>{};
  auto reason = std::error_code{};
  auto entries = fs::recursive_directory_iterator{folder, reason};
  for (; !reason && entries != fs::recursive_directory_iterator{}; entries.increment(reason)) {
    struct stat status {};
    if (::lstat(entries->path().c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
        (status.st_nlink == 1 || seen.insert(status.st_ino).second))
      total += static_cast<uint64_t>(status.st_size);
  }
  return total;
}

class recovery {
public:
  recovery(const store_layout& layout, std::span<const std::string> kept_uploads,
           std::span<const std::string> running_jobs, const store_policy& policy)
      : layout_(layout), kept_uploads_(kept_uploads.begin(), kept_uploads.end()),
        running_jobs_(running_jobs.begin(), running_jobs.end()), policy_(policy) {}

  store_scan run() {
    finish_publications();
    publish_the_written();
    disk_step("recover.staging", layout_.root);
    clean_staging();
    disk_step("recover.uploads", layout_.root);
    clean_uploads();
    clean_damaged();
    disk_step("recover.versions", layout_.root);
    for (const auto& name : names_in(layout_.root / ".store"))
      if (is_id(name) && is_folder(layout_.versions(name)))
        look_at_versions(name);
    for (const auto& name : names_in(layout_.root))
      if (is_id(name))
        look_at_name(name);
    look_at_videos();
    for (auto& [avatar_id, found] : avatars_)
      if (!found.current_version.empty())
        scan_.avatars.push_back(std::move(found));
    return std::move(scan_);
  }

private:
  /// A crash between moving a version into the store and switching the link to it.
  void finish_publications() {
    for (const auto& name : names_in(layout_.root / ".staging")) {
      if (!name.ends_with(fresh_link_suffix))
        continue;
      auto avatar_id = name.substr(0, name.size() - fresh_link_suffix.size());
      auto reason = std::error_code{};
      auto version = fs::read_symlink(layout_.staging(name), reason).filename().string();
      if (reason || !is_id(avatar_id) || !version_number(version) ||
          !is_folder(layout_.version(avatar_id, version)))
        continue;
      auto there = occupant_of(layout_, avatar_id);
      if (there == occupant::link || there == occupant::nothing)
        switch_link(layout_, avatar_id, version);
    }
  }

  /// What lies below an avatar that is gone goes too.
  void look_at_videos() {
    auto root = layout_.root / ".videos";
    for (const auto& avatar_id : names_in(root)) {
      if (!is_id(avatar_id) || !avatars_.contains(avatar_id)) {
        throw_away(root / avatar_id);
        scan_.removed.push_back(".videos/" + avatar_id);
        continue;
      }
      for (const auto& name : names_in(layout_.videos(avatar_id)))
        look_at_video(avatar_id, name);
    }
  }

  void look_at_video(const std::string& avatar_id, const std::string& name) {
    auto path = layout_.videos(avatar_id) / name;
    auto id = fs::path{name}.stem().string();
    struct stat status {};
    if (is_id(id) && name == id + ".mp4" && ::lstat(path.c_str(), &status) == 0 &&
        S_ISREG(status.st_mode)) {
      scan_.videos.push_back({avatar_id, id, static_cast<uint64_t>(status.st_size)});
      return;
    }
    throw_away(path);
    scan_.removed.push_back(".videos/" + avatar_id + "/" + name);
  }

  /// A version whose manifest is there was verified and synced: only its move into the store is
  /// missing. One whose job was being cancelled goes the way of the others.
  void publish_the_written() {
    for (const auto& name : names_in(layout_.root / ".staging")) {
      if (!running_jobs_.contains(name) || !is_folder(layout_.staging(name)))
        continue;
      try {
        auto manifest = read_manifest(layout_.staging(name));
        check_lengths(layout_.staging(name), manifest);
        const auto& x = manifest.version;
        auto reason = std::error_code{};
        auto taken =
            fs::symlink_status(layout_.version(manifest.avatar_id, x.version), reason).type();
        if (!is_id(manifest.avatar_id) || !version_number(x.version) || x.job_id != name ||
            taken != fs::file_type::not_found)
          continue;
        disk_step("recover.publish", layout_.root);
        place_version(layout_, name, manifest.avatar_id, x.version);
        scan_.published.push_back(manifest.avatar_id + "/" + x.version);
      } catch (const error&) {
        // not that far, or the disk refuses it: the job begins anew
      }
    }
  }

  void clean_staging() {
    for (const auto& name : names_in(layout_.root / ".staging")) {
      throw_away(layout_.staging(name));
      scan_.removed.push_back(".staging/" + name);
    }
  }

  void clean_uploads() {
    for (const auto& name : names_in(layout_.root / ".uploads"))
      if (!kept_uploads_.contains(name)) {
        throw_away(layout_.upload(name));
        scan_.removed.push_back(".uploads/" + name);
      }
  }

  /// Out of sight at once; deleted later, so that a start does not wait for it.
  void throw_away(const fs::path& path) const { rename_path(path, layout_.trash() / new_job_id()); }

  void clean_damaged() {
    auto kept = std::chrono::microseconds{policy_.keep_damaged}.count();
    for (const auto& name : names_in(layout_.damaged())) {
      // Only what was set aside here: its name ends with an id, and the id knows its time.
      auto since = made_at(name.substr(name.rfind('-') + 1));
      if (!since || now_us() - *since < kept)
        continue;
      throw_away(layout_.damaged() / name);
      scan_.removed.push_back(".store/.damaged/" + name);
    }
  }

  /// Fills in what the store holds of an avatar, and sees that its link leads there.
  void look_at_versions(const std::string& avatar_id) {
    auto found = avatar{};
    found.avatar_id = avatar_id;
    for (const auto& version : names_in(layout_.versions(avatar_id)))
      if (is_version_name(version))
        look_at_version(found, version);
    std::sort(found.versions.begin(), found.versions.end(),
              [](const auto& a, const auto& b) { return older_version(a.version, b.version); });
    auto current = linked_version(layout_, avatar_id);
    auto holds = [&](const std::string& name) {
      return std::any_of(found.versions.begin(), found.versions.end(),
                         [&](const auto& x) { return x.version == name; });
    };
    auto there = occupant_of(layout_, avatar_id);
    if (found.versions.empty()) {
      // the link, if any, is found dangling later
      auto ignored = std::error_code{};
      fs::remove(layout_.versions(avatar_id), ignored);
      return;
    }
    if (there == occupant::nothing || (there == occupant::link && !holds(*current))) {
      switch_link(layout_, avatar_id, found.versions.back().version);
      current = found.versions.back().version;
      there = occupant::link;
    }
    if (there == occupant::link)
      found.current_version = *current;
    found.status = "ready";
    found.created_us = found.versions.front().created_us;
    found.updated_us = found.versions.back().created_us;
    found.latest_job_id = found.versions.back().job_id;
    avatars_[avatar_id] = std::move(found);
  }

  void look_at_version(avatar& found, const std::string& version) {
    auto folder = layout_.version(found.avatar_id, version);
    auto public_name = ".store/" + found.avatar_id + "/" + version;
    if (!is_folder(folder)) {
      // the swap that adopts a folder did not happen
      remove_name(folder);
      scan_.removed.push_back(public_name);
      return;
    }
    if (is_adopted_name(version)) {
      if (auto adopted = describe_plain(folder, public_name)) {
        adopted->version = version;
        found.versions.push_back(*adopted);
      }
      return;
    }
    auto reason = std::error_code{};
    if (!fs::exists(folder / "manifest.json", reason)) {
      throw_away(folder);
      scan_.removed.push_back(public_name);
      return;
    }
    try {
      auto manifest = read_manifest(folder);
      check_lengths(folder, manifest);
      manifest.version.version = version;
      found.tutor_id = manifest.tutor_id;
      found.versions.push_back(manifest.version);
    } catch (const error& problem) {
      move_to_damaged(layout_, found.avatar_id, version);
      scan_.removed.push_back(public_name);
      scan_.ignored.push_back(public_name + ": " + problem.detail());
    }
  }

  /// A name in the avatars folder that could be an avatar's.
  void look_at_name(const std::string& name) {
    switch (occupant_of(layout_, name)) {
    case occupant::link:
      if (!avatars_.contains(name)) {
        remove_name(layout_.link(name));
        scan_.removed.push_back(name);
      }
      return;
    case occupant::folder:
      adopt(name);
      return;
    default:
      return;
    }
  }

  void adopt(const std::string& name) {
    auto plain = describe_plain(layout_.link(name), name);
    if (!plain)
      return;
    auto& found = avatars_[name];
    found.avatar_id = name;
    found.status = "ready";
    found.created_us = found.updated_us = plain->created_us;
    found.current_version = plain->version;
    std::erase_if(found.versions, [&](const auto& x) { return x.version == plain->version; });
    found.versions.push_back(*plain);
  }

  /// Nothing when the folder is no avatar; one that looks like it is told about.
  std::optional<avatar_version> describe_plain(const fs::path& folder, const std::string& name) {
    auto reason = std::error_code{};
    auto has = [&](const char* file) {
      return fs::symlink_status(folder / file, reason).type() == fs::file_type::regular;
    };
    auto result = avatar_version{};
    result.version = "adopted";
    result.engine = "adopted";
    result.weights = "none";
    result.created_us = changed_at(folder);
    if (has("latents.pt") || has("coords.pkl")) {
      try {
        auto facts = inspect_plain_folder(folder);
        result.weights = "real";
        result.frames = facts.frames;
        result.width = facts.width;
        result.height = facts.height;
        result.duration_s = static_cast<double>(facts.frames) / avatar_frames_per_second;
      } catch (const error& problem) {
        scan_.ignored.push_back(name + ": " + problem.detail());
        return std::nullopt;
      }
    } else if (!has("avatar_info.txt") && !has("avator_info.json")) {
      return std::nullopt;
    }
    result.bytes = bytes_below(folder);
    return result;
  }

  const store_layout& layout_;
  std::set<std::string> kept_uploads_;
  std::set<std::string> running_jobs_;
  store_policy policy_;
  std::map<std::string, avatar> avatars_;
  store_scan scan_;
};

} // namespace

store_scan recover_store(const store_layout& layout, std::span<const std::string> kept_uploads,
                         std::span<const std::string> running_jobs, const store_policy& policy) {
  return recovery{layout, kept_uploads, running_jobs, policy}.run();
}

} // namespace musetalk::pipeline
