#include "pipeline/avatar_store.hpp"

#include "errors/error.hpp"
#include "pipeline/disk_budget.hpp"
#include "pipeline/failpoint.hpp"
#include "pipeline/file_ops.hpp"
#include "pipeline/ids.hpp"
#include "pipeline/link_version.hpp"
#include "pipeline/place_version.hpp"
#include "pipeline/store_names.hpp"
#include "pipeline/store_recovery.hpp"
#include "pipeline/version_writer.hpp"

#include <sys/stat.h>

namespace musetalk::pipeline {

namespace fs = std::filesystem;

namespace {

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
    auto reason = std::error_code{};
    auto entries = fs::directory_iterator{layout_.trash(), reason};
    for (; !reason && entries != fs::directory_iterator{}; entries.increment(reason))
      trash_.push_back(entries->path());
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
      throw_away(layout_.link(avatar_id));
    try {
      disk_step("remove.versions", layout_.root);
      throw_away(layout_.versions(avatar_id));
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
    throw_away(layout_.version(avatar_id, version));
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

  /// What is moved is gone for everybody; deleting it may take long, and may be interrupted.
  void throw_away(const fs::path& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0)
      return;
    auto grave = layout_.trash() / new_job_id();
    rename_path(path, grave);
    trash_.push_back(std::move(grave));
  }

  store_layout layout_;
  store_policy policy_;
  std::vector<fs::path> trash_; ///< What this process has thrown away and not yet deleted.
};

} // namespace

std::unique_ptr<avatar_store> open_avatar_store(const fs::path& root, const store_policy& policy) {
  return std::make_unique<folder_avatar_store>(root, policy);
}

} // namespace musetalk::pipeline
