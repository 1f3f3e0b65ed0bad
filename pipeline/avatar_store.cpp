#include "pipeline/avatar_store.hpp"

#include "errors/error.hpp"
#include "pipeline/file_ops.hpp"
#include "pipeline/ids.hpp"
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

class folder_avatar_store : public avatar_store {
public:
  explicit folder_avatar_store(const fs::path& root) : layout_{root} {
    auto reason = std::error_code{};
    fs::create_directories(root, reason);
    if (reason)
      throw_storage_error(reason.value(), "making the avatars folder", root);
    for (auto name : {".store", ".staging", ".uploads"})
      make_folder(root / name);
    // a read-only folder is found now and not after the first video
    auto probe = root / ".staging" / (new_job_id() + ".probe");
    write_file(probe, {});
    remove_name(probe);
    sync_folder(root);
  }

  const store_layout& layout() const override { return layout_; }

  store_scan recover(std::span<const std::string> kept_uploads) override {
    return recover_store(layout_, kept_uploads);
  }

  std::unique_ptr<version_writer> begin(const version_plan& plan) override {
    require_avatar_id(plan.avatar_id);
    require_id(plan.job_id);
    if (occupant_of(layout_, plan.avatar_id) == occupant::other)
      throw error(errc::storage_failed,
                  "The avatars folder holds a file or foreign link of the avatar's name.",
                  layout_.link(plan.avatar_id).string());
    return make_version_writer(layout_, plan);
  }

  void remove_avatar(const std::string& avatar_id) override {
    require_avatar_id(avatar_id);
    // Whatever is moved to staging is gone for everybody; deleting it may then be interrupted.
    auto there = occupant_of(layout_, avatar_id);
    auto grave = layout_.staging("removed-" + new_job_id());
    auto plain_grave = layout_.staging("removed-" + new_job_id());
    if (there == occupant::link)
      remove_name(layout_.link(avatar_id));
    else if (there == occupant::folder)
      rename_path(layout_.link(avatar_id), plain_grave);
    struct stat status {};
    if (::lstat(layout_.versions(avatar_id).c_str(), &status) == 0)
      rename_path(layout_.versions(avatar_id), grave);
    sync_folder(layout_.root);
    sync_folder(layout_.root / ".store");
    remove_tree(plain_grave);
    remove_tree(grave);
  }

  void discard_staging(const std::string& job_id) override {
    require_id(job_id);
    remove_tree(layout_.staging(job_id));
  }

  void discard_upload(const std::string& upload_id) override {
    require_id(upload_id);
    remove_tree(layout_.upload(upload_id));
  }

private:
  store_layout layout_;
};

} // namespace

std::unique_ptr<avatar_store> open_avatar_store(const fs::path& root) {
  return std::make_unique<folder_avatar_store>(root);
}

} // namespace musetalk::pipeline
