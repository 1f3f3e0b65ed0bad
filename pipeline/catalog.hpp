#pragma once

#include "pipeline/job.hpp"

#include <filesystem>
#include <functional>
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
  /// `preparing`).
  virtual void add_job(const job& record, const std::string& actor) = 0;
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
  virtual void move_job(const job& record, const std::string& actor, const std::string& reason) = 0;
  /// Oldest first.
  virtual std::vector<job_event> job_events(const std::string& job_id) = 0;

  // -- avatars ----------------------------------------------------------------
  virtual std::optional<avatar> find_avatar(const std::string& avatar_id) = 0;
  /// By id. Paged as `list_jobs`.
  virtual avatar_page list_avatars(const avatar_filter& filter, const page_request& page) = 0;
  /// Completes the job, adds the version and makes it current: one transaction.
  virtual void complete_job(const job& record, const avatar_version& version,
                            const std::string& actor) = 0;
  /// Takes over what start-up found on disk (`recover`): versions that the catalog misses are
  /// added, versions that are gone are dropped, plain folders become avatars. An active job whose
  /// version is on disk was published before the service ended: it is completed.
  virtual void reconcile(std::span<const avatar> on_disk) = 0;
  /// Removes avatar and versions; its jobs stay as history. False when there was none.
  virtual bool remove_avatar(const std::string& avatar_id) = 0;
};

using catalog_factory = std::function<std::unique_ptr<catalog>()>;

/// Opens or makes the SQLite catalog: one connection, WAL, synchronous=FULL.
/// @throws error `catalog_failed` when the file is no catalog of ours or newer than this program.
std::unique_ptr<catalog> open_sqlite_catalog(const std::filesystem::path& file);

} // namespace musetalk::pipeline
