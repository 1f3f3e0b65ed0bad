#pragma once

#include "actors/interfaces.hpp"
#include "actors/metered.hpp"
#include "actors/worker_directory.hpp"

#include <caf/actor_clock.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace musetalk::actors {

struct upload_receiver_config {
  std::chrono::milliseconds idle_timeout{600'000}; ///< Without a sign of life.
  std::chrono::milliseconds tick{
      1'000}; ///< Between looks; short, so that it never holds up the end.
  std::chrono::milliseconds step_timeout{120'000}; ///< Of one request to a worker.
  size_t max_pending = 1'024; ///< Videos that may wait for their probe at once.
};

/// Whom an UPLOAD RECEIVER works with.
struct upload_receiver_parts {
  registry_actor registry;
  std::shared_ptr<const worker_directory> workers; ///< Prober and storage writer.
  /// As in `system_parts`.
  std::function<void(const pipeline::media_info&)> require_room{};
};

struct upload_receiver_state {
  /// A video on its way to becoming a job.
  struct pending_video {
    pipeline::job_request request;
    bool submitted = false; ///< The REGISTRY has it: the upload may already belong to a job.
    caf::typed_response_promise<pipeline::job_view> reply;
  };

  /// A video that is only looked at.
  struct examination {
    std::string upload_id; ///< Empty: it lies below a root.
    caf::typed_response_promise<pipeline::preflight_report> reply;
  };

  upload_receiver_config config;
  upload_receiver_parts parts;
  std::map<std::string, caf::actor_clock::time_point>
      arriving; ///< Upload id to its last sign of life.
  std::map<uint64_t, pending_video> pending;
  std::map<uint64_t, examination> examined;
  uint64_t last_number = 0; ///< Of `pending` and `examined`.
  bool ticking = false;     ///< A tick is on its way.

  static inline const char* name = "upload-receiver";
};

using upload_receiver_pointer = metered_actor<upload_receiver_actor, upload_receiver_state>*;

/// Owns uploads until a job does. Runs on the pool: whatever waits for a disk is asked of the
/// prober and the STORAGE WRITER.
upload_receiver_actor::behavior_type upload_receiver(upload_receiver_pointer self,
                                                     const upload_receiver_config& config,
                                                     const upload_receiver_parts& parts);

} // namespace musetalk::actors
