#pragma once

#include "actors/eta.hpp"
#include "actors/gpu_scheduler.hpp"
#include "actors/interfaces.hpp"
#include "actors/job_queue.hpp"
#include "actors/metered.hpp"
#include "actors/worker_directory.hpp"
#include "pipeline/catalog.hpp"
#include "pipeline/work_options.hpp"

#include <caf/actor_clock.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace musetalk::actors {

struct registry_config {
  size_t queue_limit = 16; ///< Jobs that may wait; one more is answered with `queue_full`.
  size_t running_jobs = 1; ///< At once; at least 1.
  uint32_t max_attempts = 3;
  size_t max_waiters = 256;                        ///< Of `await_end` and `remove`, together.
  std::chrono::milliseconds max_wait{600'000};     ///< After it a waiter's asker has surely gone.
  std::chrono::milliseconds step_timeout{120'000}; ///< Of one request to a worker.
  std::chrono::seconds keep_failed{86'400};        ///< For how long a failed job's upload is kept.
  std::chrono::seconds upload_idle{600};           ///< Without a sign of life it is an orphan.
  size_t max_kept_uploads = 32;                    ///< Of failed jobs; beyond, the oldest goes.
  pipeline::retention_policy retention;
  pipeline::timestamp_us keep_events_us = 0;      ///< 0: for ever.
  int64_t max_events = 0;                         ///< Beyond, the oldest go; 0: no limit.
  std::chrono::milliseconds catalog_retry{1'000}; ///< Until a refused write is tried again.
  uint32_t max_catalog_failures = 30; ///< In a row, of writes that must not be lost; then it ends.
  std::chrono::microseconds priority_step{std::chrono::minutes{10}}; ///< As in `job_queue`.
  pipeline::work_options work;               ///< What versions depend on: equal work is done once.
  std::string engine = "native";             ///< `native` or `mock`, for new attempts.
  std::string weights = "real";              ///< `real`, `synthetic` or `none`, for new attempts.
  std::vector<std::string> missing_models;   ///< Not empty: jobs are refused with this list.
  std::vector<std::string> missing_to_speak; ///< The same for jobs that speak.
};

/// Starts the MUSETALK RUNNER of a job in a place (`0..running_jobs-1`), and lets it begin.
using runner_factory = std::function<musetalk_runner_actor(const registry_actor& registry,
                                                           const pipeline::job& job, size_t place)>;

/// What the REGISTRY is made of. Everything is called on its own thread.
struct registry_parts {
  std::shared_ptr<pipeline::catalog> catalog;      ///< Used by this actor alone.
  std::shared_ptr<const worker_directory> workers; ///< Storage writer and upload receiver.
  runner_factory start_runner;
  std::function<pipeline::timestamp_us()> now_us;
  std::function<std::string()> new_job_id;
  /// Whether the video of a job can still be read.
  std::function<bool(const pipeline::job_request&)> source_there;
  fatal_callback fatal; ///< Told when the catalog cannot be used any more.
};

struct registry_state {
  using job_promise = caf::typed_response_promise<pipeline::job_view>;
  using remove_promise = caf::typed_response_promise<avatar_id>;

  /// A job with a runner, or one whose version is being linked.
  struct active_job {
    pipeline::job record; ///< As it lies in the catalog.
    musetalk_runner_actor runner;
    size_t place = 0;
    pipeline::job_progress progress;
    job_eta eta;
    std::optional<job_outcome> outcome; ///< Its end, until the catalog has it.
    bool gone = false;                  ///< Its runner died; its staging is being removed.
    bool linking = false;               ///< The STORAGE WRITER is at it; it has no place.
  };

  /// Somebody who wants to know how a job ends.
  struct waiter {
    std::string job_id;
    caf::actor_clock::time_point until;
    job_promise reply;
  };

  /// The upload of a failed job, kept in case that it is tried again.
  struct kept_upload {
    std::string upload_id;
    std::string avatar_id;
    pipeline::timestamp_us until = 0;
  };

  registry_config config;
  registry_parts parts;
  job_queue queue;
  std::set<std::string> linkable; ///< Queued jobs whose version is there already, under any name.
  std::map<std::string, active_job> active; ///< By job id.
  std::vector<waiter> waiters;
  std::map<std::string, std::vector<remove_promise>> removals; ///< By avatar id.
  std::vector<std::string> unused_uploads; ///< Of jobs that ended before there was anyone to tell.
  std::vector<kept_upload> kept_uploads;   ///< The oldest first.
  std::vector<job_follower_actor> followers;
  std::set<std::string> keys_at_work;                 ///< Of requests that wait for a worker.
  std::map<std::string, pipeline::timestamp_us> uses; ///< Not yet in the catalog; by avatar id.
  bool cleaning = false;                              ///< A plan is being carried out.
  caf::actor_clock::time_point expired_at;            ///< Leftovers were last looked for.
  queue_status counts;                                ///< Since the start; device as last told.
  std::map<pipeline::job_kind, work_history> past;    ///< What the jobs of this machine took.
  pipeline::timestamp_us last_created_us = 0;
  uint32_t catalog_failures = 0; ///< In a row.
  bool retry_sent = false;       ///< A delayed `next` is on its way.
  bool stopping = false;
  std::optional<caf::error> exit_reason; ///< Ends when the last runner has.

  static inline const char* name = "registry";
};

using registry_pointer = metered_actor<registry_actor, registry_state>*;

/// Keeps jobs and avatars: every change is in the catalog before anyone is told of it. At birth,
/// jobs that were interrupted are put back into the queue (`actors/restart.hpp`); nothing starts
/// before the first `next`. Ends the program when the catalog stays out of order. Spawn it
/// detached: it waits for the disk.
registry_actor::behavior_type registry(registry_pointer self, const registry_config& config,
                                       const registry_parts& parts);

} // namespace musetalk::actors
