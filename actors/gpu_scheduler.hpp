#pragma once

#include "actors/interfaces.hpp"
#include "actors/metered.hpp"

#include <caf/actor_clock.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace musetalk::actors {

/// Called when the service cannot go on; the text is for the log. May return.
using fatal_callback = std::function<void(const std::string& reason)>;

struct gpu_scheduler_config {
  size_t max_waiting_requests = 64;               ///< One more is answered with `device_busy`.
  size_t max_batch_frames = 16;                   ///< Frames of one execution.
  std::chrono::milliseconds report_interval{200}; ///< Between reports while the device is busy.
};

/// What the GPU SCHEDULER is made of. Everything is called on the actor's own thread.
struct gpu_scheduler_parts {
  pipeline::latent_encoder_factory make_encoder;
  std::function<void(const device_status&)> report; ///< Told of changes; to the REGISTRY.
  fatal_callback fatal;                             ///< Told when the networks cannot be loaded.
};

struct gpu_scheduler_state {
  /// A request until its last latent is there.
  struct work {
    job_id job;
    work_class priority;
    std::vector<pipeline::image> crops;
    std::vector<pipeline::latent> latents; ///< Of the first `latents.size()` crops.
    bool alone = false;                    ///< An execution with others failed: share none again.
    caf::typed_response_promise<std::vector<pipeline::latent>> reply;
  };

  std::unique_ptr<pipeline::latent_encoder> encoder; ///< Made in the body, destroyed on `quit`.
  std::deque<work> queue;                            ///< By class, then by arrival.
  size_t batch_limit = 0;     ///< Frames of one execution; halved when memory ran out.
  size_t good_executions = 0; ///< Since the limit was last changed.
  bool next_sent = false;     ///< A `next` is in the mailbox.
  device_status status;
  caf::actor_clock::time_point reported; ///< When `report` was last called.

  static inline const char* name = "gpu-scheduler";
};

using gpu_scheduler_pointer = metered_actor<gpu_scheduler_actor, gpu_scheduler_state>*;

/// Serialises all work on one device: a request waits in a queue of its own, ordered by class and
/// arrival, and requests of the same class share one execution up to `max_batch_frames`. When the
/// device runs out of memory the batch is halved and tried again. Spawn it detached: the networks
/// are loaded and used on its thread.
gpu_scheduler_actor::behavior_type gpu_scheduler(gpu_scheduler_pointer self,
                                                 const gpu_scheduler_config& config,
                                                 const gpu_scheduler_parts& parts);

} // namespace musetalk::actors
