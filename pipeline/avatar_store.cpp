#include "pipeline/avatar_store.hpp"

#include "errors/error.hpp"
#include "pipeline/damaged_version.hpp"
#include "pipeline/disk.hpp"
#include "pipeline/disk_budget.hpp"
#include "pipeline/failpoint.hpp"
#include "pipeline/file_ops.hpp"
#include "pipeline/ids.hpp"
#include "pipeline/link_version.hpp"
#include "pipeline/place_version.hpp"
#include "pipeline/store_names.hpp"
#include "pipeline/store_recovery.hpp"
#include "pipeline/time.hpp"
#include "pipeline/version_writer.hpp"

#include <sys/stat.h>

#include <algorithm>

namespace musetalk::pipeline {

namespace fs = std::filesystem;

namespace {

/// Names in the trash of what somebody may still read.
constexpr auto held_prefix = std::string_view{"held-"};

std::vector<fs::path> paths_in(const fs::path& folder) {
  auto result = std::vector<fs::path>{};
  auto reason = std::error_code{};
  auto entries = fs::directory_iterator{folder, reason};
  for (; !reason && entries != fs::directory_iterator{}; entries.increment(reason))
    result.push_back(entries->path());
  return result;
}

/// Ids become folder names: one that is none must never get here.
void require_id(const std::string& text) {
  if (!is_id(text))
    throw error(errc::internal, "An id that cannot name a folder.", text);
}

void require_version(const std::string& text) {
  if (!is_version_name(text))
    throw error(errc::version_not_found, "The avatar has no version of that name.");
}

class folder_avatar_store : public avatar_store {
public:
  folder_avatar_store(const fs::path& root, const store_policy& policy)
      : layout_{root}, policy_(policy) {
    auto reason = std::error_code{};
    fs::create_directories(root, reason);
    if (reason)
      throw_storage_error(reason.value(), "making the avatars folder", root);
    for (auto name : {".store", ".staging", ".uploads", ".trash", ".videos"})
      make_folder(root / name);
    // a read-only folder is found now and not after the first video
    auto probe = root / ".staging" / (new_job_id() + ".probe");
    write_file(probe, {});
    remove_name(probe);
    sync_folder(root);
  }

  const store_layout& layout() const override { return layout_; }

  store_scan recover(std::span<const std::string> kept_uploads,
                     std::span<const std::string> running_jobs) override {
    auto result = recover_store(layout_, kept_uploads, running_jobs, policy_);
    trash_.clear();
    held_.clear();
    for (auto& path : paths_in(layout_.trash()))
      (path.filename().string().starts_with(held_prefix) ? held_ : trash_)
          .push_back(std::move(path));
    return result;
  }

  std::unique_ptr<version_writer> begin(const version_plan& plan) override {
    require_avatar_id(plan.avatar_id);
    require_id(plan.job_id);
    if (occupant_of(layout_, plan.avatar_id) == occupant::other)
      refuse_occupied(plan.avatar_id);
    auto room = policy_.budget ? policy_.budget->reserve(plan.source) : nullptr;
    return make_version_writer(layout_, plan, policy_.budget, std::move(room));
  }

  avatar_version link_version(const link_plan& plan) override {
    require_avatar_id(plan.avatar_id);
    require_avatar_id(plan.from.avatar_id);
    require_id(plan.job_id);
    require_version(plan.from.version);
    if (occupant_of(layout_, plan.avatar_id) == occupant::other)
      refuse_occupied(plan.avatar_id);
    return pipeline::link_version(layout_, plan);
  }

  void remove_avatar(const std::string& avatar_id) override {
    require_avatar_id(avatar_id);
    auto there = occupant_of(layout_, avatar_id);
    auto linked = linked_version(layout_, avatar_id);
    disk_step("remove.link", layout_.root);
    if (there == occupant::link)
      remove_name(layout_.link(avatar_id));
    else if (there == occupant::folder)
      throw_away(layout_.link(avatar_id), true);
    try {
      disk_step("remove.versions", layout_.root);
      throw_away(layout_.versions(avatar_id), true);
    } catch (const error&) {
      // it is there or not there, nothing between
      if (linked && fs::exists(layout_.versions(avatar_id)))
        switch_link(layout_, avatar_id, *linked);
      throw;
    }
    disk_step("remove.videos", layout_.root);
    throw_away(layout_.videos(avatar_id));
    disk_step("remove.sync", layout_.root);
    sync_folder(layout_.root / ".videos");
    sync_folder(layout_.root);
    sync_folder(layout_.root / ".store");
    failpoint("remove.done");
  }

  void activate_version(const std::string& avatar_id, const std::string& version) override {
    require_avatar_id(avatar_id);
    require_version(version);
    make_current(layout_, avatar_id, version);
  }

  void remove_version(const std::string& avatar_id, const std::string& version) override {
    require_avatar_id(avatar_id);
    require_version(version);
    if (linked_version(layout_, avatar_id) == version)
      throw error(errc::version_current, version + " is the current version.");
    disk_step("remove_version.rename", layout_.root);
    keep_number(layout_, avatar_id, version);
    throw_away(layout_.version(avatar_id, version), true);
    disk_step("remove_version.sync", layout_.root);
    sync_folder(layout_.versions(avatar_id));
  }

  fs::path open_staging(const std::string& job_id) override {
    require_id(job_id);
    auto folder = layout_.staging(job_id);
    disk_step("film.staging", folder);
    throw_away(folder);
    make_folder(folder);
    return folder;
  }

  stored_video publish_video(const std::string& job_id, const std::string& avatar_id) override {
    require_id(job_id);
    require_avatar_id(avatar_id);
    auto made = layout_.staging(job_id) / "video.mp4";
    auto bytes = uint64_t{0};
    {
      auto open = open_for_reading(made);
      bytes = open.size();
      disk_step("film.sync", made);
      open.sync();
    }
    disk_step("film.folder", made);
    make_folder(layout_.videos(avatar_id));
    sync_folder(layout_.root / ".videos");
    disk_step("film.rename", made);
    rename_path(made, layout_.video(avatar_id, job_id));
    disk_step("film.rename_sync", made);
    sync_folder(layout_.videos(avatar_id));
    failpoint("film.done");
    throw_away(layout_.staging(job_id));
    return {avatar_id, job_id, bytes};
  }

  void remove_video(const std::string& avatar_id, const std::string& video_id) override {
    require_avatar_id(avatar_id);
    require_id(video_id);
    auto folder = layout_.videos(avatar_id);
    auto reason = std::error_code{};
    if (!fs::exists(folder, reason))
      return;
    disk_step("film.remove", folder);
    remove_name(layout_.video(avatar_id, video_id));
    disk_step("film.remove_sync", folder);
    sync_folder(folder);
  }

  std::string set_aside_version(const std::string& avatar_id, const std::string& version) override {
    require_avatar_id(avatar_id);
    require_version(version);
    return replace_damaged(layout_, avatar_id, version);
  }

  std::vector<std::string> expire(std::span<const std::string> needed_staging,
                                  std::span<const std::string> needed_uploads) override {
    auto gone = std::vector<std::string>{};
    auto look = [&](const fs::path& folder, std::span<const std::string> needed) {
      for (const auto& path : paths_in(folder)) {
        auto name = path.filename().string();
        if (std::find(needed.begin(), needed.end(), name) != needed.end() || !is_stale(path))
          continue;
        throw_away(path);
        gone.push_back(folder.filename().string() + "/" + name);
      }
    };
    look(layout_.root / ".staging", needed_staging);
    look(layout_.root / ".uploads", needed_uploads);
    return gone;
  }

  void discard_staging(const std::string& job_id) override {
    require_id(job_id);
    disk_step("discard.staging", layout_.root);
    throw_away(layout_.staging(job_id));
  }

  void discard_upload(const std::string& upload_id) override {
    require_id(upload_id);
    disk_step("upload.remove", layout_.root);
    remove_tree(layout_.upload(upload_id));
    failpoint("upload.removed");
  }

  bool sweep(size_t most) override {
    release_held();
    while (!trash_.empty() && most > 0) {
      // Taken out first: what cannot be deleted is not tried for ever.
      auto next = std::move(trash_.back());
      trash_.pop_back();
      disk_step("trash.slice", next);
      auto count = remove_some(next, most);
      if (count == most)
        trash_.push_back(std::move(next));
      most -= count;
    }
    return !trash_.empty();
  }

private:
  [[noreturn]] void refuse_occupied(const std::string& avatar_id) const {
    throw error(errc::storage_failed,
                "The avatars folder holds a file or foreign link of the avatar's name.",
                layout_.link(avatar_id).string());
  }

  /// What is moved is gone for everybody who comes; deleting it may take long, and may be
  /// interrupted.
  /// @param held Somebody may have it open: its files stay for the grace time.
  void throw_away(const fs::path& path, bool held = false) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0)
      return;
    auto grave = layout_.trash() / ((held ? std::string{held_prefix} : "") + new_job_id());
    rename_path(path, grave);
    (held ? held_ : trash_).push_back(std::move(grave));
  }

  timestamp_us now() const { return policy_.now_us ? policy_.now_us() : now_us(); }

  /// Lets go of what had its grace time. The name of what is held knows since when.
  void release_held() {
    if (held_.empty())
      return;
    auto space = disk_space_of(layout_.root);
    auto short_of_room = space && space->free_bytes < policy_.short_bytes;
    auto grace = std::chrono::microseconds{policy_.grace}.count();
    std::erase_if(held_, [&](const fs::path& path) {
      auto since = made_at(path.filename().string().substr(held_prefix.size()));
      if (since && !short_of_room && now() - *since < grace)
        return false;
      trash_.push_back(path);
      return true;
    });
  }

  /// Neither it nor anything right below it has changed for the policy's time.
  bool is_stale(const fs::path& path) const {
    auto fresh = [&](const fs::path& x) {
      struct stat status {};
      if (::lstat(x.c_str(), &status) != 0)
        return false;
      auto changed = timestamp_us{status.st_mtim.tv_sec} * 1'000'000;
      return now() - changed < std::chrono::microseconds{policy_.stale}.count();
    };
    auto below = paths_in(path);
    return !fresh(path) && std::none_of(below.begin(), below.end(), fresh);
  }

  store_layout layout_;
  store_policy policy_;
  std::vector<fs::path> trash_; ///< What this process has thrown away and not yet deleted.
  std::vector<fs::path> held_;  ///< The same, while it has its grace time.
};

} // namespace

std::unique_ptr<avatar_store> open_avatar_store(const fs::path& root, const store_policy& policy) {
  return std::make_unique<folder_avatar_store>(root, policy);
}

} // namespace musetalk::pipeline
