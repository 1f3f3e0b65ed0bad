#pragma once

#include "pipeline/job.hpp"
#include "pipeline/sqlite.hpp"

#include <optional>
#include <string>
#include <vector>

namespace musetalk::pipeline {

/// Columns of `jobs` in the order that `read_job` expects; the row's number comes first.
extern const std::string job_columns;

/// The row's place in the order of adding.
int64_t read_job_number(const sqlite::statement& row);
job read_job(const sqlite::statement& row);

/// @throws error `catalog_failed` when the job's id is there already.
void insert_job(sqlite::database& db, const job& record);

std::optional<job> find_job_row(sqlite::database& db, const std::string& job_id);

/// Stores what may change in a job's life, and one event. @throws error as `catalog::move_job`.
job_event move_job_row(sqlite::database& db, const job& record, const std::string& actor,
                       const std::string& reason);

/// Columns of `avatars` in the order that `read_avatar` expects.
extern const std::string avatar_columns;

/// Without its versions.
avatar read_avatar(const sqlite::statement& row);

/// Oldest first.
std::vector<avatar_version> read_versions(sqlite::database& db, const std::string& avatar_id);

void insert_version(sqlite::database& db, const std::string& avatar_id, const avatar_version& x);

/// As `catalog::find_version`.
std::optional<version_ref> find_version_row(sqlite::database& db, const std::string& video_sha256,
                                            const std::string& options_key);

/// Without its versions. If there is one of its id, only the latest job is taken over.
void insert_avatar(sqlite::database& db, const avatar& x);

/// With its versions.
std::optional<avatar> find_avatar_row(sqlite::database& db, const std::string& avatar_id);

/// The version that was current until now is old from now on. @param version Empty for none.
void set_current_version(sqlite::database& db, const std::string& avatar_id,
                         const std::string& version);

/// With its versions. False when there was none.
bool erase_avatar(sqlite::database& db, const std::string& avatar_id);

/// False when there was none.
bool erase_version(sqlite::database& db, const std::string& avatar_id, const std::string& version);

/// Sets an avatar's status from its versions and jobs.
void refresh_status(sqlite::database& db, const std::string& avatar_id);

} // namespace musetalk::pipeline
