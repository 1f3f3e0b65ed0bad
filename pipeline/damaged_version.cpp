#include "pipeline/damaged_version.hpp"

#include "errors/error.hpp"
#include "pipeline/file_ops.hpp"
#include "pipeline/ids.hpp"
#include "pipeline/place_version.hpp"
#include "pipeline/store_names.hpp"

#include <system_error>

namespace musetalk::pipeline {

namespace fs = std::filesystem;

namespace {

bool is_folder(const fs::path& path) {
  auto reason = std::error_code{};
  return fs::symlink_status(path, reason).type() == fs::file_type::directory;
}

/// The newest version beside this one; empty when there is none.
std::string newest_other(const store_layout& layout, const std::string& avatar_id,
                         const std::string& version) {
  auto result = std::string{};
  auto reason = std::error_code{};
  auto entries = fs::directory_iterator{layout.versions(avatar_id), reason};
  for (; !reason && entries != fs::directory_iterator{}; entries.increment(reason)) {
    auto name = entries->path().filename().string();
    if (name != version && is_version_name(name) && is_folder(entries->path()) &&
        (result.empty() || older_version(result, name)))
      result = name;
  }
  return result;
}

} // namespace

void move_to_damaged(const store_layout& layout, const std::string& avatar_id,
                     const std::string& version) {
  keep_number(layout, avatar_id, version);
  make_folder(layout.damaged());
  rename_path(layout.version(avatar_id, version),
              layout.damaged() / (avatar_id + "-" + version + "-" + new_job_id()));
  sync_folder(layout.damaged());
  sync_folder(layout.versions(avatar_id));
}

std::string replace_damaged(const store_layout& layout, const std::string& avatar_id,
                            const std::string& version) {
  if (!is_folder(layout.version(avatar_id, version)))
    throw error(errc::version_not_found, "The files of that version are not there.");
  auto current = linked_version(layout, avatar_id).value_or("");
  if (current == version) {
    current = newest_other(layout, avatar_id, version);
    if (current.empty())
      remove_name(layout.link(avatar_id));
    else
      switch_link(layout, avatar_id, current);
    sync_folder(layout.root);
  }
  move_to_damaged(layout, avatar_id, version);
  return current;
}

} // namespace musetalk::pipeline
