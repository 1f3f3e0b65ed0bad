#include "pipeline/catalog_reconcile.hpp"

#include "pipeline/catalog_rows.hpp"
#include "pipeline/sqlite.hpp"
#include "pipeline/time.hpp"

#include <algorithm>

namespace musetalk::pipeline {

namespace {

/// The service ended between publishing a version and writing it down.
void complete_published(sqlite::database& db, const avatar_version& version) {
  auto interrupted = version.job_id.empty() ? std::nullopt : find_job_row(db, version.job_id);
  if (!interrupted || !transition_allowed(interrupted->state, job_state::completed))
    return;
  interrupted->state = job_state::completed;
  interrupted->version = version.version;
  interrupted->finished_us = version.created_us;
  move_job_row(db, *interrupted, "store", "The version was published before the service ended.");
}

void take_over(sqlite::database& db, const avatar& found) {
  auto known = find_avatar_row(db, found.avatar_id);
  if (!known) {
    known = avatar{};
    known->avatar_id = found.avatar_id;
    known->tutor_id = found.tutor_id;
    known->created_us = known->updated_us = found.created_us;
    known->status = "ready";
    // What was found was not left lying: its time begins now.
    known->used_us = now_us();
    insert_avatar(db, *known);
  }
  auto changed = known->current_version != found.current_version;
  for (const auto& version : known->versions)
    if (!has_version(found, version.version)) {
      erase_version(db, found.avatar_id, version.version);
      changed = true;
    }
  for (const auto& version : found.versions)
    if (!has_version(*known, version.version)) {
      insert_version(db, found.avatar_id, version);
      complete_published(db, version);
      changed = true;
    }
  if (!changed)
    return;
  set_current_version(db, found.avatar_id, found.current_version);
  refresh_status(db, found.avatar_id);
}

/// Nothing of the avatar is on disk. One that never was stays, for its jobs' sake.
void let_go(sqlite::database& db, const avatar& known) {
  if (known.current_version.empty() && known.versions.empty())
    return;
  for (const auto& version : known.versions)
    erase_version(db, known.avatar_id, version.version);
  set_current_version(db, known.avatar_id, "");
  refresh_status(db, known.avatar_id);
  if (find_avatar_row(db, known.avatar_id)->status == "failed")
    erase_avatar(db, known.avatar_id);
}

std::vector<std::string> avatar_ids(sqlite::database& db) {
  auto row = db.borrow("SELECT avatar_id FROM avatars");
  auto result = std::vector<std::string>{};
  while (row->step())
    result.push_back(row->text(0));
  return result;
}

} // namespace

void reconcile_catalog(sqlite::database& db, std::span<const avatar> on_disk) {
  for (const auto& found : on_disk)
    take_over(db, found);
  for (const auto& avatar_id : avatar_ids(db))
    if (std::none_of(on_disk.begin(), on_disk.end(),
                     [&](const auto& found) { return found.avatar_id == avatar_id; }))
      let_go(db, *find_avatar_row(db, avatar_id));
}

} // namespace musetalk::pipeline
