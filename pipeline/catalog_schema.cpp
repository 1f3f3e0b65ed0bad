#include "pipeline/catalog_schema.hpp"

#include "errors/error.hpp"
#include "pipeline/sqlite.hpp"
#include "pipeline/time.hpp"

#include <array>
#include <string>

namespace musetalk::pipeline {

namespace {

/// `MsTk`: marks the file as ours, readable by `file(1)` and `PRAGMA application_id`.
constexpr int64_t our_application_id = 0x4d73546b;

/// Each step once, in order. Never edit one that was released: append.
constexpr std::array steps = {
    R"sql(
CREATE TABLE avatars(
  avatar_id       TEXT PRIMARY KEY,
  tutor_id        TEXT NOT NULL,
  created_us      INTEGER NOT NULL,
  updated_us      INTEGER NOT NULL,
  status          TEXT NOT NULL CHECK(status IN ('ready', 'preparing', 'failed')),
  current_version TEXT NOT NULL,
  latest_job_id   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX avatars_by_tutor ON avatars(tutor_id, avatar_id);
CREATE TABLE versions(
  avatar_id    TEXT NOT NULL REFERENCES avatars(avatar_id) ON DELETE CASCADE,
  version      TEXT NOT NULL,
  created_us   INTEGER NOT NULL,
  job_id       TEXT NOT NULL,
  engine       TEXT NOT NULL,
  weights      TEXT NOT NULL,
  frames       INTEGER NOT NULL,
  width        INTEGER NOT NULL,
  height       INTEGER NOT NULL,
  duration_s   REAL NOT NULL,
  bytes        INTEGER NOT NULL,
  video_sha256 TEXT NOT NULL,
  apply_blur   INTEGER NOT NULL,
  PRIMARY KEY(avatar_id, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE jobs(
  number         INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id         TEXT NOT NULL UNIQUE,
  kind           INTEGER NOT NULL,
  avatar_id      TEXT NOT NULL,
  tutor_id       TEXT NOT NULL,
  apply_blur     INTEGER NOT NULL,
  upload_id      TEXT NOT NULL,
  video_path     TEXT NOT NULL,
  video_name     TEXT NOT NULL,
  video_sha256   TEXT NOT NULL,
  video_bytes    INTEGER NOT NULL,
  state          TEXT NOT NULL,
  attempt        INTEGER NOT NULL,
  created_us     INTEGER NOT NULL,
  started_us     INTEGER NOT NULL,
  finished_us    INTEGER NOT NULL,
  version        TEXT NOT NULL,
  weights        TEXT NOT NULL,
  engine         TEXT NOT NULL,
  failure_code   INTEGER,
  failure_detail TEXT,
  timings        TEXT NOT NULL
) STRICT;
CREATE INDEX jobs_by_state ON jobs(state, number);
CREATE INDEX jobs_by_avatar ON jobs(avatar_id, number);
CREATE INDEX jobs_by_tutor ON jobs(tutor_id, number);
CREATE TABLE events(
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id   TEXT NOT NULL REFERENCES jobs(job_id),
  at_us    INTEGER NOT NULL,
  state    TEXT NOT NULL,
  actor    TEXT NOT NULL,
  reason   TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_job ON events(job_id, sequence);
)sql",
    R"sql(
ALTER TABLE jobs ADD COLUMN interruptions INTEGER NOT NULL DEFAULT 0;
UPDATE jobs SET interruptions = attempt - 1;
ALTER TABLE events ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;
CREATE TABLE request_keys(
  number      INTEGER PRIMARY KEY AUTOINCREMENT,
  key         TEXT NOT NULL UNIQUE,
  fingerprint TEXT NOT NULL,
  target      TEXT NOT NULL,
  at_us       INTEGER NOT NULL
) STRICT;
CREATE INDEX request_keys_by_time ON request_keys(at_us);
)sql",
    R"sql(
ALTER TABLE jobs ADD COLUMN speech TEXT NOT NULL DEFAULT '';
CREATE TABLE videos(
  number       INTEGER PRIMARY KEY AUTOINCREMENT,
  video_id     TEXT NOT NULL UNIQUE,
  avatar_id    TEXT NOT NULL REFERENCES avatars(avatar_id) ON DELETE CASCADE,
  version      TEXT NOT NULL,
  created_us   INTEGER NOT NULL,
  weights      TEXT NOT NULL,
  audio_name   TEXT NOT NULL,
  audio_sha256 TEXT NOT NULL,
  frames       INTEGER NOT NULL,
  fps          INTEGER NOT NULL,
  width        INTEGER NOT NULL,
  height       INTEGER NOT NULL,
  duration_s   REAL NOT NULL,
  bytes        INTEGER NOT NULL,
  options      TEXT NOT NULL
) STRICT;
CREATE INDEX videos_by_avatar ON videos(avatar_id, number);
)sql",
    R"sql(
ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 2;
ALTER TABLE jobs ADD COLUMN forced INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN video_frames INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN video_pixels INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN queued_us INTEGER NOT NULL DEFAULT 0;
UPDATE jobs SET queued_us = created_us WHERE attempt = 1;
ALTER TABLE jobs ADD COLUMN options_key TEXT NOT NULL DEFAULT '';
ALTER TABLE versions ADD COLUMN options_key TEXT NOT NULL DEFAULT '';
CREATE INDEX versions_by_work ON versions(video_sha256, options_key);
)sql",
    // Nobody has been told yet what counts as a use: the time begins now.
    R"sql(
ALTER TABLE avatars ADD COLUMN used_us INTEGER NOT NULL DEFAULT 0;
ALTER TABLE avatars ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
UPDATE avatars SET used_us = CAST(strftime('%s', 'now') AS INTEGER) * 1000000;
ALTER TABLE versions ADD COLUMN retired_us INTEGER NOT NULL DEFAULT 0;
ALTER TABLE versions ADD COLUMN checked_us INTEGER NOT NULL DEFAULT 0;
)sql",
};

[[noreturn]] void refuse(const std::string& detail) {
  throw error(errc::catalog_failed, detail);
}

/// The schema's version that the file has; 0 when it is new and empty.
int64_t found_version(sqlite::database& db) {
  auto id = db.value_of("PRAGMA application_id");
  auto tables = db.value_of("SELECT count(*) FROM sqlite_schema");
  if (id == 0 && tables == 0)
    return 0;
  if (id != our_application_id)
    refuse("The catalog's file is a database of another program.");
  if (auto verdict = db.text_of("PRAGMA quick_check(1)"); verdict != "ok")
    throw error(errc::catalog_failed, "The catalog's file is damaged.", verdict);
  return db.value_of("SELECT coalesce(max(version), 0) FROM schema_versions");
}

} // namespace

int catalog_schema_version() noexcept {
  return static_cast<int>(steps.size());
}

void require_catalog(sqlite::database& db) {
  auto version = found_version(db);
  if (version != catalog_schema_version())
    refuse("The catalog has schema " + std::to_string(version) + "; this program knows " +
           std::to_string(catalog_schema_version()) +
           ". A start of the service brings an older one up to date.");
}

void migrate_catalog(sqlite::database& db) {
  auto version = found_version(db);
  if (version > catalog_schema_version())
    refuse("The catalog has schema " + std::to_string(version) +
           ", written by a newer program; this one knows up to " +
           std::to_string(catalog_schema_version()) + ".");
  // Only now: a foreign file is left as it is.
  db.execute("PRAGMA foreign_keys = ON");
  db.execute("PRAGMA synchronous = FULL");
  if (auto mode = db.text_of("PRAGMA journal_mode = WAL"); mode != "wal")
    refuse("The catalog's file system cannot keep a write-ahead log.");
  for (auto step = version; step < catalog_schema_version(); ++step) {
    auto change = sqlite::transaction{db, "catalog.migrate"};
    if (step == 0) {
      db.execute("PRAGMA application_id = " + std::to_string(our_application_id));
      db.execute("CREATE TABLE schema_versions(version INTEGER PRIMARY KEY, "
                 "applied_us INTEGER NOT NULL) STRICT");
    }
    db.execute(steps[static_cast<size_t>(step)]);
    db.execute("INSERT INTO schema_versions VALUES(" + std::to_string(step + 1) + ", " +
               std::to_string(now_us()) + ")");
    change.commit();
  }
  // Takes the lock at once, not only with the first write.
  sqlite::transaction{db, "catalog.open"}.commit();
}

} // namespace musetalk::pipeline
