#pragma once

#include "pipeline/job.hpp"
#include "pipeline/sqlite.hpp"

#include <optional>
#include <string>

namespace musetalk::pipeline {

// What decides how long things stay. All inside the caller's transaction.

/// As `catalog::note_uses`, for one avatar.
void set_used(sqlite::database& db, const std::string& avatar_id, timestamp_us at);

/// As `catalog::pin_avatar`.
bool set_pinned(sqlite::database& db, const std::string& avatar_id, bool pinned);

/// As `catalog::oldest_check`.
std::optional<version_ref> oldest_check_row(sqlite::database& db, timestamp_us before);

/// As `catalog::note_check`.
void set_checked(sqlite::database& db, const version_ref& what, timestamp_us at);

/// As `catalog::lose_version`.
std::optional<job_event> lose_version_row(sqlite::database& db, const version_ref& what,
                                          const std::string& current, const std::string& reason);

} // namespace musetalk::pipeline
