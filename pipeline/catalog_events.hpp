#pragma once

#include "pipeline/job.hpp"
#include "pipeline/sqlite.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace musetalk::pipeline {

// What happened to jobs, and the keys of requests that made it happen. All inside the caller's
// transaction.

/// Writes that a job is now in its record's state.
job_event insert_event(sqlite::database& db, const job& record, const std::string& actor,
                       const std::string& reason);

/// As `catalog::events_after`.
std::vector<job_event> read_events(sqlite::database& db, const event_query& query);

/// As `catalog::last_event`.
int64_t last_event_row(sqlite::database& db);

/// As `catalog::first_event`.
int64_t first_event_row(sqlite::database& db);

/// As `catalog::prune_events`.
int64_t erase_events(sqlite::database& db, timestamp_us before, int64_t keep, int64_t most);

/// As `catalog::find_key`.
std::optional<request_key> find_key_row(sqlite::database& db, const std::string& key,
                                        timestamp_us since);

/// As `catalog::keep_key`; does nothing with an empty one.
void insert_key(sqlite::database& db, const request_key& key);

} // namespace musetalk::pipeline
