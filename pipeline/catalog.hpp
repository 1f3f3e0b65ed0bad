#pragma once

#include "pipeline/job.hpp"
#include "pipeline/store_claims.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace musetalk::pipeline {

/// The durable truth about avatars, versions, jobs and their history. Calls of this interface are
/// the only place that knows SQL; every implementation passes
/// `tests/pipeline/catalog_conformance.hpp`. One thread at a time. Each call is one transaction and
/// durable when it returns. All throw error `catalog_failed` (or `storage_full`).
class catalog {
public:
  virtual ~catalog() = default;

  // -- jobs -------------------------------------------------------------------
  /// Adds a queued job, its first event, and the avatar's row if there is none (status
  /// `preparing`). Keeps the request's key, if it has one, with the job as its target.
  virtual job_event add_job(const job& record, const std::string& actor) = 0;
  virtual std::optional<job> find_job(const std::string& job_id) = 0;
  /// Newest first. Positions and progress are the registry's to fill in. Jobs added meanwhile do
  /// not shift later pages. A page holds at most 1000. @throws error `request_field_invalid` for a
  /// cursor that is not of this list.
  virtual job_page list_jobs(const job_filter& filter, const page_request& page) = 0;
  /// Queued jobs, oldest first.
  virtual std::vector<job> queued_jobs() = 0;
  /// Jobs in `running` or `cancelling`: after a start, what was interrupted.
  virtual std::vector<job> active_jobs() = 0;
  /// Stores the record's changed fields and one event, if `transition_allowed(stored state,
  /// record.state)`; throws `errc::internal` otherwise, `job_not_found` for an unknown job.
  /// @param key Kept with the job as its target, unless it is empty.
  virtual job_event move_job(const job& record, const std::string& actor, const std::string& reason,
                             const request_key& key = {}) = 0;
  /// The same for a job that had ended and is queued again: it is the avatar's latest, whose row is
  /// made if there is none.
  virtual job_event retry_job(const job& record, const std::string& actor,
                              const std::string& reason, const request_key& key = {}) = 0;
  /// Failed jobs that had an upload and ended at that time or later, oldest first.
  virtual std::vector<job> failed_uploads(timestamp_us since) = 0;

  // -- what happened ------------------------------------------------------------
  /// Oldest first.
  virtual std::vector<job_event> job_events(const std::string& job_id) = 0;
  /// Events behind `query.after`, oldest first, at most `query.limit`.
  virtual std::vector<job_event> events_after(const event_query& query) = 0;
  /// Sequence of the newest event; 0 when there is none.
  virtual int64_t last_event() = 0;
  /// Sequence of the oldest event that is kept; 0 when there is none.
  virtual int64_t first_event() = 0;
  /// Forgets events from the oldest on: those before a time, and those beyond the newest `keep`.
  /// Stops at the first event of a job that has not ended, and before the newest event.
  /// @param most Events of one call. @returns how many were forgotten.
  virtual int64_t prune_events(timestamp_us before, int64_t keep, int64_t most) = 0;

  // -- keys of requests ---------------------------------------------------------
  /// A key that was kept at that time or later.
  virtual std::optional<request_key> find_key(const std::string& key, timestamp_us since) = 0;
  /// Keeps a key; one that is older than `request_key_age_us` or beyond `max_request_keys` goes.
  virtual void keep_key(const request_key& key) = 0;

  // -- avatars ----------------------------------------------------------------
  virtual std::optional<avatar> find_avatar(const std::string& avatar_id) = 0;
  /// By id. Paged as `list_jobs`.
  virtual avatar_page list_avatars(const avatar_filter& filter, const page_request& page) = 0;
  /// The newest version made of these bytes with these options, of whatever avatar; none for an
  /// empty hash or key.
  virtual std::optional<version_ref> find_version(const std::string& video_sha256,
                                                  const std::string& options_key) = 0;
  /// Completes the job, adds the version and makes it current: one transaction.
  virtual job_event complete_job(const job& record, const avatar_version& version,
                                 const std::string& actor) = 0;
  /// The same for a job that spoke: adds its video.
  virtual job_event complete_speech(const job& record, const spoken_video& video,
                                    const std::string& actor) = 0;
  /// Makes another version current. @throws error `version_not_found`.
  virtual void activate_version(const std::string& avatar_id, const std::string& version,
                                const request_key& key = {}) = 0;
  /// Forgets a version that is not current. False when there was none.
  virtual bool remove_version(const std::string& avatar_id, const std::string& version) = 0;
  /// Takes over what start-up found on disk (`recover`): versions that the catalog misses are
  /// added, versions that are gone are dropped, plain folders become avatars. An active job whose
  /// version is on disk was published before the service ended: it is completed.
  virtual void reconcile(std::span<const avatar> on_disk) = 0;
  /// Removes avatar, versions and videos; its jobs stay as history. False when there was none.
  virtual bool remove_avatar(const std::string& avatar_id) = 0;

  // -- videos that avatars made ---------------------------------------------------
  virtual std::optional<spoken_video> find_video(const std::string& avatar_id,
                                                 const std::string& video_id) = 0;
  /// Newest first. Paged as `list_jobs`.
  virtual video_page list_videos(const std::string& avatar_id, const page_request& page) = 0;
  /// False when there was none.
  virtual bool remove_video(const std::string& avatar_id, const std::string& video_id) = 0;
  /// Forgets videos that are not on disk any more. @returns those on disk that it knows nothing of:
  /// their jobs were interrupted before their end.
  virtual std::vector<stored_video> reconcile_videos(std::span<const stored_video> on_disk) = 0;

  // -- whether all is well --------------------------------------------------------
  /// What the disk must hold, and what is wrong with the rows themselves.
  /// @param failed_since As for `failed_uploads`.
  virtual store_claims claims(timestamp_us failed_since) = 0;

  // -- how long things stay -----------------------------------------------------
  /// Avatars (by id) and when they were last used. A later use that is known stays.
  virtual void note_uses(const std::map<std::string, timestamp_us>& uses) = 0;
  /// False when there is no such avatar.
  virtual bool pin_avatar(const std::string& avatar_id, bool pinned) = 0;
  /// The version with a manifest that was checked the longest ago, if that was before a time.
  virtual std::optional<version_ref> oldest_check(timestamp_us before) = 0;
  virtual void note_check(const version_ref& what, timestamp_us at) = 0;
  /// Forgets a version whose files were set aside, and which one is current then (empty: none).
  /// @returns an event of the job that made it, if that is known.
  virtual std::optional<job_event> lose_version(const version_ref& what, const std::string& current,
                                                const std::string& reason) = 0;
};

using catalog_factory = std::function<std::unique_ptr<catalog>()>;

/// Opens or makes the SQLite catalog: one connection, WAL, synchronous=FULL.
/// @throws error `catalog_failed` when the file is no catalog of ours or newer than this program.
std::unique_ptr<catalog> open_sqlite_catalog(const std::filesystem::path& file);

} // namespace musetalk::pipeline
