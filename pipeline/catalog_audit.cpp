#include "pipeline/catalog_audit.hpp"

#include "errors/error.hpp"
#include "pipeline/catalog_rows.hpp"
#include "pipeline/catalog_schema.hpp"

#include <system_error>
#include <utility>

namespace musetalk::pipeline {

namespace {

constexpr auto tell = "Tell the developers, with the log and a copy of musetalkd.db.";

/// A rule that rows must keep: a query for those that do not, as object and explanation.
struct row_rule {
  const char* code;
  const char* broken;
};

// Twenty of a kind are enough to see what is the matter.
constexpr row_rule rules[] = {
    {"job.unknown_state",
     "SELECT job_id, 'Its state is ' || state || '.' FROM jobs WHERE state NOT "
     "IN ('queued','running','cancelling','completed','failed','cancelled')"},
    {"job.history_differs",
     "SELECT job_id, 'It is ' || state || '; its history ends with ' || coalesce(last, 'nothing') "
     "|| '.' FROM (SELECT job_id, state, (SELECT state FROM events WHERE events.job_id = "
     "jobs.job_id ORDER BY sequence DESC LIMIT 1) AS last FROM jobs) WHERE last <> state"},
    {"job.several_ends",
     "SELECT job_id, 'Attempt ' || attempt || ' has ' || count(*) || ' ends.' FROM events WHERE "
     "state IN ('completed','failed','cancelled') GROUP BY job_id, attempt HAVING count(*) > 1"},
    {"job.end_time",
     "SELECT job_id, 'It is ' || state || ', and its end is ' || finished_us || '.' "
     "FROM jobs WHERE (state IN ('completed','failed','cancelled')) <> "
     "(finished_us > 0)"},
    {"job.no_version",
     "SELECT job_id, 'It is completed without a version.' FROM jobs WHERE state = 'completed' AND "
     "version = ''"},
    {"job.no_reason", "SELECT job_id, 'It failed without a code.' FROM jobs WHERE state = 'failed' "
                      "AND failure_code IS NULL"},
    {"avatar.no_such_version",
     "SELECT avatar_id, 'Its current version ' || current_version || ' is not listed.' FROM "
     "avatars "
     "WHERE current_version <> '' AND NOT EXISTS(SELECT 1 FROM versions WHERE versions.avatar_id = "
     "avatars.avatar_id AND version = current_version)"},
    {"avatar.status", "SELECT avatar_id, 'It is ' || status || ' with the current version ' || "
                      "quote(current_version) || '.' FROM avatars WHERE (status = 'ready') <> "
                      "(current_version <> '')"},
    {"version.no_avatar", "SELECT avatar_id || '/' || version, 'It belongs to no avatar.' FROM "
                          "versions WHERE avatar_id NOT IN (SELECT avatar_id FROM avatars)"},
};

void apply(sqlite::database& db, const row_rule& x, std::vector<store_finding>& to) {
  auto row = db.borrow(std::string{x.broken} + " LIMIT 20");
  while (row->step())
    to.push_back({x.code, row->text(0), row->text(1), tell, false});
}

/// Each pair of neighbours in a job's history is a move of the one table. Old history is forgotten
/// from its beginning: then it may begin with anything.
void apply_moves(sqlite::database& db, std::vector<store_finding>& to) {
  auto whole = db.value_of("SELECT coalesce(min(sequence), 1) FROM events") == 1;
  auto row = db.borrow(
      "SELECT min(job_id), before, state FROM (SELECT job_id, state, lag(state) OVER (PARTITION BY "
      "job_id ORDER BY sequence) AS before FROM events) GROUP BY before, state");
  while (row->step()) {
    auto from = job_state_from_string(row->text(1));
    auto state = job_state_from_string(row->text(2));
    auto first = row->is_null(1) && (state == job_state::queued || !whole);
    if (!first && !(from && state && transition_allowed(*from, *state)))
      to.push_back({"job.history_move", row->text(0),
                    "It moved from " + (row->is_null(1) ? "nothing" : row->text(1)) + " to " +
                        row->text(2) + ".",
                    tell, false});
  }
}

std::vector<avatar> all_avatars(sqlite::database& db) {
  auto row = db.borrow("SELECT " + avatar_columns + " FROM avatars ORDER BY avatar_id");
  auto result = std::vector<avatar>{};
  while (row->step())
    result.push_back(read_avatar(*row));
  for (auto& x : result)
    x.versions = read_versions(db, x.avatar_id);
  return result;
}

std::vector<stored_video> all_videos(sqlite::database& db) {
  auto row = db.borrow("SELECT avatar_id, video_id, bytes FROM videos");
  auto result = std::vector<stored_video>{};
  while (row->step())
    result.push_back({row->text(0), row->text(1), static_cast<uint64_t>(row->integer(2))});
  return result;
}

/// One column of jobs.
template <class F>
void for_jobs(sqlite::database& db, const std::string& column, const std::string& where, F&& use) {
  auto row = db.borrow("SELECT " + column + " FROM jobs WHERE " + where);
  while (row->step())
    use(row->text(0));
}

} // namespace

store_claims read_claims(sqlite::database& db, timestamp_us failed_since) {
  auto result = store_claims{};
  const auto open = std::string{"state IN ('queued', 'running', 'cancelling')"};
  for_jobs(db, "job_id", open, [&](std::string id) { result.jobs.insert(std::move(id)); });
  for_jobs(db, "upload_id", open + " AND upload_id <> ''", [&](std::string id) {
    result.waiting.insert(id);
    result.uploads.insert(std::move(id));
  });
  for_jobs(db, "upload_id",
           "state = 'failed' AND upload_id <> '' AND finished_us >= " +
               std::to_string(failed_since),
           [&](std::string id) { result.uploads.insert(std::move(id)); });
  result.avatars = all_avatars(db);
  result.videos = all_videos(db);
  for (const auto& x : rules)
    apply(db, x, result.findings);
  apply_moves(db, result.findings);
  return result;
}

store_claims read_claims(const std::filesystem::path& file, timestamp_us failed_since) {
  auto reason = std::error_code{};
  if (!std::filesystem::is_regular_file(file, reason))
    throw error(errc::catalog_failed, "There is no catalog in AVATARS_DIR.", file.string());
  auto db = sqlite::database{file};
  require_catalog(db);
  return read_claims(db, failed_since);
}

} // namespace musetalk::pipeline
