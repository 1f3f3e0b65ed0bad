#include "pipeline/place_version.hpp"

#include "errors/error.hpp"
#include "pipeline/failpoint.hpp"
#include "pipeline/file_ops.hpp"
#include "pipeline/store_names.hpp"

#include <unistd.h>

#include <functional>
#include <vector>

namespace musetalk::pipeline {

namespace {

/// Steps back in reverse order unless all went well. What a step back throws is left to `recover`.
class undo_list {
public:
  undo_list() = default;
  undo_list(const undo_list&) = delete;
  undo_list& operator=(const undo_list&) = delete;

  ~undo_list() {
    for (auto step = steps_.rbegin(); step != steps_.rend(); ++step)
      try {
        (*step)();
      } catch (const error&) {
        // the exception that brought us here is the one to tell
      }
  }

  void add(std::function<void()> step) { steps_.push_back(std::move(step)); }
  void forget() { steps_.clear(); }

private:
  std::vector<std::function<void()>> steps_;
};

bool is_folder(const std::filesystem::path& path) {
  auto reason = std::error_code{};
  return std::filesystem::symlink_status(path, reason).type() ==
         std::filesystem::file_type::directory;
}

/// A link that waits in the staging folder to be moved to its place.
std::filesystem::path make_fresh_link(const store_layout& layout, const std::string& avatar_id,
                                      const std::string& version) {
  auto fresh = layout.staging(avatar_id + fresh_link_suffix);
  remove_name(fresh);
  make_symlink(link_target(avatar_id, version), fresh);
  return fresh;
}

/// A plain folder moves into the store and its name becomes a link to it.
void adopt_folder(const store_layout& layout, const std::string& avatar_id) {
  auto name = free_adopted_name(layout, avatar_id);
  auto link = layout.link(avatar_id);
  auto home = layout.version(avatar_id, name);
  // The link is made where the folder will be, then the two swap: no moment without the avatar.
  disk_step("adopt.link", home);
  make_symlink(link_target(avatar_id, name), home);
  auto steps = undo_list{};
  steps.add([home] { remove_name(home); });
  disk_step("adopt.swap", home);
  if (!exchange_paths(link, home)) {
    remove_name(home);
    rename_path(link, home);
    steps.forget();
    steps.add([link, home] { rename_path(home, link); });
    switch_link(layout, avatar_id, name);
  }
  steps.forget();
  disk_step("adopt.sync", home);
  sync_folder(layout.versions(avatar_id));
  sync_folder(layout.root);
}

} // namespace

void place_version(const store_layout& layout, const std::string& job_id,
                   const std::string& avatar_id, const std::string& version) {
  auto staging = layout.staging(job_id);
  auto home = layout.version(avatar_id, version);
  auto steps = undo_list{};
  disk_step("place.folder", home);
  make_folder(layout.versions(avatar_id));
  // goes only while it is empty
  steps.add([&layout, avatar_id] { ::rmdir(layout.versions(avatar_id).c_str()); });
  disk_step("place.folder_sync", home);
  sync_folder(layout.versions(avatar_id).parent_path());
  if (occupant_of(layout, avatar_id) == occupant::folder)
    adopt_folder(layout, avatar_id);
  auto before = linked_version(layout, avatar_id);
  disk_step("place.intent", home);
  // The new link is the intent: after the next rename a crash is rolled forward by it.
  auto fresh = make_fresh_link(layout, avatar_id, version);
  steps.add([fresh] { remove_name(fresh); });
  disk_step("place.intent_sync", home);
  sync_folder(fresh.parent_path());
  disk_step("place.rename", home);
  rename_path(staging, home);
  steps.add([=] { rename_path(home, staging); });
  disk_step("place.rename_sync", home);
  sync_folder(layout.versions(avatar_id));
  steps.add([&layout, avatar_id, before] {
    if (before)
      switch_link(layout, avatar_id, *before);
    else
      remove_name(layout.link(avatar_id));
  });
  disk_step("place.switch", home);
  rename_path(fresh, layout.link(avatar_id));
  disk_step("place.switch_sync", home);
  sync_folder(layout.root);
  sync_folder(fresh.parent_path());
  steps.forget();
  failpoint("place.done");
}

void make_current(const store_layout& layout, const std::string& avatar_id,
                  const std::string& version) {
  auto there = occupant_of(layout, avatar_id);
  auto plain = there == occupant::folder;
  // The plain folder itself: it is current where it stands.
  if (plain && is_adopted_name(version) && !is_folder(layout.version(avatar_id, version)))
    return;
  if (there == occupant::other || !is_folder(layout.version(avatar_id, version)))
    throw error(errc::version_not_found, "The files of that version are not there.");
  if (plain)
    adopt_folder(layout, avatar_id);
  if (linked_version(layout, avatar_id) != version)
    switch_link(layout, avatar_id, version);
}

void switch_link(const store_layout& layout, const std::string& avatar_id,
                 const std::string& version) {
  disk_step("switch.intent", layout.root);
  auto fresh = make_fresh_link(layout, avatar_id, version);
  try {
    disk_step("switch.rename", layout.root);
    rename_path(fresh, layout.link(avatar_id));
  } catch (...) {
    ::unlink(fresh.c_str());
    throw;
  }
  disk_step("switch.sync", layout.root);
  sync_folder(layout.root);
}

} // namespace musetalk::pipeline
