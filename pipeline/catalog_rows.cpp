#include "pipeline/catalog_rows.hpp"

#include "errors/error.hpp"
#include "pipeline/catalog_events.hpp"
#include "pipeline/catalog_videos.hpp"
#include "pipeline/time.hpp"

#include <nlohmann/json.hpp>

namespace musetalk::pipeline {

namespace {

using json = nlohmann::json;

std::string timings_to_text(const std::map<std::string, int64_t>& timings) {
  return json(timings).dump(-1, ' ', false, json::error_handler_t::replace);
}

/// Timings are for people: what cannot be read is left out, never a reason to lose a job.
std::map<std::string, int64_t> timings_from_text(const std::string& text) {
  auto result = std::map<std::string, int64_t>{};
  auto parsed = json::parse(text, nullptr, false);
  if (parsed.is_object())
    for (const auto& [stage, time] : parsed.items())
      if (time.is_number_integer())
        result[stage] = time.get<int64_t>();
  return result;
}

job_state state_from_text(const std::string& name) {
  if (auto state = job_state_from_string(name))
    return *state;
  throw error(errc::catalog_failed, "The catalog holds a job in an unknown state.", name);
}

job_priority priority_from_number(int64_t x) {
  auto known = x >= int64_t{static_cast<uint8_t>(job_priority::high)} &&
               x <= int64_t{static_cast<uint8_t>(job_priority::low)};
  return known ? static_cast<job_priority>(x) : job_priority::normal;
}

/// Binds code and detail to two columns; only a failed job has them.
void bind_failure(sqlite::statement& row, int32_t index, const job& x) {
  if (x.state == job_state::failed)
    row.bind(index, static_cast<int64_t>(x.failure.code)).bind(index + 1, x.failure.detail);
  else
    row.bind_null(index).bind_null(index + 1);
}

} // namespace

// -- jobs ----------------------------------------------------------------------

const std::string job_columns =
    "number, job_id, kind, avatar_id, tutor_id, apply_blur, upload_id, video_path, video_name, "
    "video_sha256, video_bytes, state, attempt, created_us, started_us, finished_us, version, "
    "weights, engine, failure_code, failure_detail, timings, interruptions, speech, priority, "
    "forced, video_frames, video_pixels, queued_us, options_key";

int64_t read_job_number(const sqlite::statement& row) {
  return row.integer(0);
}

job read_job(const sqlite::statement& row) {
  auto x = job{};
  x.job_id = row.text(1);
  x.request.kind = static_cast<job_kind>(row.integer(2));
  x.request.avatar_id = row.text(3);
  x.request.tutor_id = row.text(4);
  x.request.apply_blur = row.integer(5) != 0;
  x.request.upload_id = row.text(6);
  x.request.video_path = row.text(7);
  x.request.video_name = row.text(8);
  x.request.video_sha256 = row.text(9);
  x.request.video_bytes = static_cast<uint64_t>(row.integer(10));
  x.state = state_from_text(row.text(11));
  x.attempt = static_cast<uint32_t>(row.integer(12));
  x.created_us = row.integer(13);
  x.started_us = row.integer(14);
  x.finished_us = row.integer(15);
  x.version = row.text(16);
  x.weights = row.text(17);
  x.engine = row.text(18);
  if (!row.is_null(19))
    x.failure = job_failure{static_cast<errc>(row.integer(19)), row.text(20)};
  x.timings_ms = timings_from_text(row.text(21));
  x.interruptions = static_cast<uint32_t>(row.integer(22));
  x.request.speech = speech_from_text(row.text(23));
  x.request.priority = priority_from_number(row.integer(24));
  x.request.force = row.integer(25) != 0;
  x.request.video_frames = row.integer(26);
  x.request.video_pixels = row.integer(27);
  x.queued_us = row.integer(28);
  x.options_key = row.text(29);
  return x;
}

void insert_job(sqlite::database& db, const job& x) {
  auto row = db.borrow("INSERT INTO jobs(" + job_columns +
                       ") VALUES(NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
                       "?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, "
                       "?28, ?29)");
  row->bind(1, x.job_id).bind(2, static_cast<int64_t>(x.request.kind));
  row->bind(3, x.request.avatar_id).bind(4, x.request.tutor_id);
  row->bind(5, int64_t{x.request.apply_blur}).bind(6, x.request.upload_id);
  row->bind(7, x.request.video_path).bind(8, x.request.video_name);
  row->bind(9, x.request.video_sha256).bind(10, static_cast<int64_t>(x.request.video_bytes));
  row->bind(11, std::string{to_string(x.state)}).bind(12, int64_t{x.attempt});
  row->bind(13, x.created_us).bind(14, x.started_us).bind(15, x.finished_us);
  row->bind(16, x.version).bind(17, x.weights).bind(18, x.engine);
  bind_failure(*row, 19, x);
  row->bind(21, timings_to_text(x.timings_ms)).bind(22, int64_t{x.interruptions});
  row->bind(23, speech_to_text(x.request));
  row->bind(24, static_cast<int64_t>(x.request.priority)).bind(25, int64_t{x.request.force});
  row->bind(26, x.request.video_frames).bind(27, x.request.video_pixels);
  row->bind(28, x.queued_us).bind(29, x.options_key);
  row->run();
}

namespace {

/// Writes what may change in a job's life.
void update_job(sqlite::database& db, const job& x) {
  auto row =
      db.borrow("UPDATE jobs SET video_sha256 = ?2, video_bytes = ?3, state = ?4, attempt = ?5, "
                "started_us = ?6, finished_us = ?7, version = ?8, weights = ?9, engine = ?10, "
                "failure_code = ?11, failure_detail = ?12, timings = ?13, interruptions = ?14, "
                "queued_us = ?15, options_key = ?16 WHERE job_id = ?1");
  row->bind(1, x.job_id).bind(2, x.request.video_sha256);
  row->bind(3, static_cast<int64_t>(x.request.video_bytes));
  row->bind(4, std::string{to_string(x.state)}).bind(5, int64_t{x.attempt});
  row->bind(6, x.started_us).bind(7, x.finished_us);
  row->bind(8, x.version).bind(9, x.weights).bind(10, x.engine);
  bind_failure(*row, 11, x);
  row->bind(13, timings_to_text(x.timings_ms)).bind(14, int64_t{x.interruptions});
  row->bind(15, x.queued_us).bind(16, x.options_key);
  row->run();
}

} // namespace

std::optional<job> find_job_row(sqlite::database& db, const std::string& job_id) {
  auto row = db.borrow("SELECT " + job_columns + " FROM jobs WHERE job_id = ?1");
  row->bind(1, job_id);
  return row->step() ? std::optional{read_job(*row)} : std::nullopt;
}

job_event move_job_row(sqlite::database& db, const job& record, const std::string& actor,
                       const std::string& reason) {
  auto stored = find_job_row(db, record.job_id);
  if (!stored)
    throw error(errc::job_not_found, "There is no such job.", record.job_id);
  if (!transition_allowed(stored->state, record.state))
    throw error(errc::internal,
                "A job cannot move from " + std::string{to_string(stored->state)} + " to " +
                    std::string{to_string(record.state)} + ".",
                record.job_id);
  update_job(db, record);
  return insert_event(db, record, actor, reason);
}

// -- avatars -------------------------------------------------------------------

const std::string avatar_columns =
    "avatar_id, tutor_id, created_us, updated_us, status, current_version, latest_job_id, used_us, "
    "pinned";

avatar read_avatar(const sqlite::statement& row) {
  auto x = avatar{};
  x.avatar_id = row.text(0);
  x.tutor_id = row.text(1);
  x.created_us = row.integer(2);
  x.updated_us = row.integer(3);
  x.status = row.text(4);
  x.current_version = row.text(5);
  x.latest_job_id = row.text(6);
  x.used_us = row.integer(7);
  x.pinned = row.integer(8) != 0;
  return x;
}

std::vector<avatar_version> read_versions(sqlite::database& db, const std::string& avatar_id) {
  auto row =
      db.borrow("SELECT version, created_us, job_id, engine, weights, frames, width, height, "
                "duration_s, bytes, video_sha256, apply_blur, options_key, retired_us, checked_us "
                "FROM versions "
                "WHERE avatar_id = ?1 ORDER BY created_us, version");
  row->bind(1, avatar_id);
  auto result = std::vector<avatar_version>{};
  while (row->step()) {
    auto& x = result.emplace_back();
    x.version = row->text(0);
    x.created_us = row->integer(1);
    x.job_id = row->text(2);
    x.engine = row->text(3);
    x.weights = row->text(4);
    x.frames = row->integer(5);
    x.width = static_cast<int32_t>(row->integer(6));
    x.height = static_cast<int32_t>(row->integer(7));
    x.duration_s = row->real(8);
    x.bytes = static_cast<uint64_t>(row->integer(9));
    x.video_sha256 = row->text(10);
    x.apply_blur = row->integer(11) != 0;
    x.options_key = row->text(12);
    x.retired_us = row->integer(13);
    x.checked_us = row->integer(14);
  }
  return result;
}

void insert_version(sqlite::database& db, const std::string& avatar_id, const avatar_version& x) {
  auto row = db.borrow("INSERT OR REPLACE INTO versions(avatar_id, version, created_us, job_id, "
                       "engine, weights, frames, width, height, duration_s, bytes, video_sha256, "
                       "apply_blur, options_key, retired_us, checked_us) VALUES(?1, ?2, ?3, ?4, "
                       "?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)");
  row->bind(1, avatar_id).bind(2, x.version).bind(3, x.created_us).bind(4, x.job_id);
  row->bind(5, x.engine).bind(6, x.weights).bind(7, x.frames);
  row->bind(8, int64_t{x.width}).bind(9, int64_t{x.height}).bind_real(10, x.duration_s);
  row->bind(11, static_cast<int64_t>(x.bytes)).bind(12, x.video_sha256);
  row->bind(13, int64_t{x.apply_blur}).bind(14, x.options_key);
  row->bind(15, x.retired_us).bind(16, x.checked_us);
  row->run();
}

void insert_avatar(sqlite::database& db, const avatar& x) {
  auto row = db.borrow("INSERT INTO avatars VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "
                       "ON CONFLICT DO UPDATE SET latest_job_id = CASE WHEN ?7 <> '' THEN ?7 ELSE "
                       "latest_job_id END");
  row->bind(1, x.avatar_id).bind(2, x.tutor_id).bind(3, x.created_us).bind(4, x.updated_us);
  row->bind(5, x.status).bind(6, x.current_version).bind(7, x.latest_job_id);
  row->bind(8, x.used_us).bind(9, int64_t{x.pinned});
  row->run();
}

std::optional<version_ref> find_version_row(sqlite::database& db, const std::string& video_sha256,
                                            const std::string& options_key) {
  if (video_sha256.empty() || options_key.empty())
    return std::nullopt;
  auto row = db.borrow("SELECT avatar_id, version FROM versions WHERE video_sha256 = ?1 AND "
                       "options_key = ?2 ORDER BY created_us DESC LIMIT 1");
  row->bind(1, video_sha256).bind(2, options_key);
  if (!row->step())
    return std::nullopt;
  return version_ref{row->text(0), row->text(1)};
}

std::optional<avatar> find_avatar_row(sqlite::database& db, const std::string& avatar_id) {
  auto row = db.borrow("SELECT " + avatar_columns + " FROM avatars WHERE avatar_id = ?1");
  row->bind(1, avatar_id);
  if (!row->step())
    return std::nullopt;
  auto result = read_avatar(*row);
  result.versions = read_versions(db, avatar_id);
  return result;
}

void set_current_version(sqlite::database& db, const std::string& avatar_id,
                         const std::string& version) {
  // Whoever reads the version before may go on for a while: it is known since when it is old.
  auto old = db.borrow("UPDATE versions SET retired_us = CASE WHEN version = ?2 THEN 0 ELSE ?3 END "
                       "WHERE avatar_id = ?1 AND (version = ?2 OR version = (SELECT "
                       "current_version FROM avatars WHERE avatar_id = ?1))");
  old->bind(1, avatar_id).bind(2, version).bind(3, now_us()).run();
  auto row = db.borrow("UPDATE avatars SET current_version = ?2 WHERE avatar_id = ?1");
  row->bind(1, avatar_id).bind(2, version).run();
}

bool erase_version(sqlite::database& db, const std::string& avatar_id, const std::string& version) {
  auto row = db.borrow("DELETE FROM versions WHERE avatar_id = ?1 AND version = ?2");
  row->bind(1, avatar_id).bind(2, version).run();
  return db.changes() == 1;
}

bool erase_avatar(sqlite::database& db, const std::string& avatar_id) {
  auto row = db.borrow("DELETE FROM avatars WHERE avatar_id = ?1");
  row->bind(1, avatar_id).run();
  return db.changes() == 1;
}

void refresh_status(sqlite::database& db, const std::string& avatar_id) {
  auto row = db.borrow(
      "UPDATE avatars SET updated_us = ?2, status = CASE WHEN current_version <> '' THEN 'ready' "
      "WHEN EXISTS(SELECT 1 FROM jobs WHERE jobs.avatar_id = ?1 AND state IN ('queued', 'running', "
      "'cancelling')) THEN 'preparing' ELSE 'failed' END WHERE avatar_id = ?1");
  row->bind(1, avatar_id).bind(2, now_us());
  row->run();
}

} // namespace musetalk::pipeline
