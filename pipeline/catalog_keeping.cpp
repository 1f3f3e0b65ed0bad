#include "pipeline/catalog_keeping.hpp"

#include "pipeline/catalog_events.hpp"
#include "pipeline/catalog_rows.hpp"

namespace musetalk::pipeline {

void set_used(sqlite::database& db, const std::string& avatar_id, timestamp_us at) {
  auto row = db.borrow("UPDATE avatars SET used_us = max(used_us, ?2) WHERE avatar_id = ?1");
  row->bind(1, avatar_id).bind(2, at).run();
}

bool set_pinned(sqlite::database& db, const std::string& avatar_id, bool pinned) {
  auto row = db.borrow("UPDATE avatars SET pinned = ?2 WHERE avatar_id = ?1");
  row->bind(1, avatar_id).bind(2, int64_t{pinned}).run();
  return db.changes() == 1;
}

std::optional<version_ref> oldest_check_row(sqlite::database& db, timestamp_us before) {
  // A version was read back when it was published. Adopted ones have no sums to compare with.
  auto row = db.borrow("SELECT avatar_id, version FROM versions WHERE engine <> 'adopted' AND "
                       "max(checked_us, created_us) < ?1 "
                       "ORDER BY max(checked_us, created_us), avatar_id, version LIMIT 1");
  row->bind(1, before);
  if (!row->step())
    return std::nullopt;
  return version_ref{row->text(0), row->text(1)};
}

void set_checked(sqlite::database& db, const version_ref& what, timestamp_us at) {
  auto row = db.borrow("UPDATE versions SET checked_us = ?3 WHERE avatar_id = ?1 AND version = ?2");
  row->bind(1, what.avatar_id).bind(2, what.version).bind(3, at).run();
}

std::optional<job_event> lose_version_row(sqlite::database& db, const version_ref& what,
                                          const std::string& current, const std::string& reason) {
  auto known = find_avatar_row(db, what.avatar_id);
  if (!known)
    return std::nullopt;
  auto maker = std::string{};
  for (const auto& x : known->versions)
    if (x.version == what.version)
      maker = x.job_id;
  erase_version(db, what.avatar_id, what.version);
  if (known->current_version != current)
    set_current_version(db, what.avatar_id, current);
  refresh_status(db, what.avatar_id);
  auto job = maker.empty() ? std::nullopt : find_job_row(db, maker);
  if (!job)
    return std::nullopt;
  return insert_event(db, *job, "scrub", reason);
}

} // namespace musetalk::pipeline
