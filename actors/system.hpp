#pragma once

#include "actors/gpu_scheduler.hpp"
#include "actors/interfaces.hpp"
#include "actors/preprocessor.hpp"
#include "actors/speech_workers.hpp"
#include "pipeline/avatar_store.hpp"
#include "pipeline/catalog.hpp"
#include "pipeline/device_networks.hpp"
#include "pipeline/face_methods.hpp"
#include "pipeline/work_options.hpp"

#include <caf/fwd.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace musetalk::actors {

/// The numbers of the service, from the settings.
struct system_config {
  bool mock = false;      ///< Keep video and metadata, prepare nothing; no GPU SCHEDULER.
  bool synthetic = false; ///< Random networks: marked in every job and version.
  /// Weight files that are absent. Not empty: no GPU SCHEDULER, jobs are refused with this list.
  std::vector<std::string> missing_models;
  /// Why nothing can be spoken. Not empty: jobs that speak are refused with this list.
  std::vector<std::string> missing_to_speak;
  pipeline::face_methods faces; ///< For the manifests; the parts do what it says.
  pipeline::work_options work;  ///< What versions depend on: equal work is done once.
  // -- jobs
  size_t queue_limit = 16;
  size_t running_jobs = 1; ///< Each has a PREPROCESSOR of its own.
  uint32_t max_attempts = 3;
  std::chrono::seconds keep_failed{86'400}; ///< For how long a failed job's upload is kept.
  std::chrono::seconds job_timeout{1'800};
  std::chrono::seconds step_timeout{120}; ///< Of one request to a worker; finite, always.
  int32_t batch_frames = 8;
  int32_t credit_batches = 3;
  pipeline::media_limits import_limits; ///< What an imported avatar may be.
  // -- how long things stay
  pipeline::retention_policy retention;
  std::chrono::seconds clean_interval{600}; ///< Between two times that it is carried out.
  std::chrono::seconds keep_events{0};      ///< 0: for ever.
  int64_t max_events = 0;                   ///< 0: no limit.
  uint64_t scrub_bytes = 0;                 ///< Read each second; 0: no comparing.
  std::chrono::seconds scrub_age{604'800};  ///< Until a version is compared again.
  // -- device
  size_t device_queue_limit = 64;  ///< Requests that may wait.
  size_t device_batch_frames = 16; ///< Of one execution.
  // -- clients
  std::chrono::seconds upload_idle_timeout{600};
  size_t max_waiters = 256;
  std::chrono::seconds max_wait{600};
  // -- threads
  size_t pool_threads =
      2; ///< For the actors that never wait; the others have threads of their own.
};

/// What the service is made of.
struct system_parts {
  pipeline::avatar_store_factory open_store;
  pipeline::catalog_factory open_catalog;
  preprocessor_parts preprocessor; ///< Called from several threads at once; `analysis` is set here.
  speech_parts speech;             ///< Called from several threads at once.
  pipeline::device_networks_factory make_networks; ///< Called on the device's thread.
  std::function<pipeline::timestamp_us()> now_us;
  std::function<std::string()> new_job_id;
  /// Throws `storage_full` when no avatar can be made of a video, for want of room; may be empty.
  std::function<void(const pipeline::media_info&)> require_room;
  /// Told once, from any thread, when the service cannot go on: its program must call `stop` and
  /// end. The reason is in the log already.
  fatal_callback fatal;
};

/// All actors, from start-up recovery to an orderly end.
///
/// Alive: store, catalog, actors and their threads. Handles are obtained anew for each use, because
/// a worker that died is replaced. Thread-safe.
class service_system {
public:
  /// Cleans up the store, takes over what it finds into the catalog, and starts the actors. Returns
  /// before the networks are loaded: the device's status says when they are.
  /// @throws error `storage_*`, `catalog_failed` when store or catalog cannot be opened.
  service_system(const system_config& config, system_parts parts);
  service_system(const service_system&) = delete;
  service_system& operator=(const service_system&) = delete;

  /// Stops, if that was not done.
  ~service_system();

  // -- whom clients may ask ---------------------------------------------------
  registry_actor registry() const;
  upload_receiver_actor uploads() const;

  /// For the front end's own actor, which asks on behalf of the clients.
  caf::actor_system& actors();

  // -- the end ------------------------------------------------------------------
  /// Takes no new job, lets go of running ones (the next start takes them up again, their staging
  /// is removed), and ends the actors, those who ask before those who are asked. Returns only when
  /// all have ended; may be called again, and before `fatal` was told.
  /// @param timeout After it, the log names who is still at work; a thread in the middle of a
  /// picture or an execution cannot be interrupted.
  /// @returns Whether everything ended in time.
  bool stop(std::chrono::milliseconds timeout);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace musetalk::actors
