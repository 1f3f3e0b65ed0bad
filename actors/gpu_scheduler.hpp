#pragma once

#include "actors/device_queue.hpp"
#include "actors/interfaces.hpp"
#include "actors/metered.hpp"

#include <caf/actor_clock.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace musetalk::actors {

/// Called when the service cannot go on; the text is for the log. May return.
using fatal_callback = std::function<void(const std::string& reason)>;

struct gpu_scheduler_config {
  size_t max_waiting_requests = 64; ///< One more is answered with `device_busy`.
  size_t max_batch_frames = 16;     ///< Frames of one execution.
  /// Pixels of one execution that looks for faces: about 0.75 GB for a million. One frame always
  /// fits.
  int64_t max_find_pixels = 4'194'304;
  std::chrono::milliseconds report_interval{200}; ///< Between reports while the device is busy.
};

/// What the GPU SCHEDULER is made of. Everything is called on the actor's own thread.
struct gpu_scheduler_parts {
  pipeline::device_networks_factory make_networks;
  std::function<void(const device_status&)> report; ///< Told of changes; to the REGISTRY.
  fatal_callback fatal; ///< Told when the networks cannot be loaded, or the device is lost.
};

struct gpu_scheduler_state {
  /// Frames of one execution, for each kind by itself: they need different memory.
  struct batch_limit {
    size_t frames = 0;          ///< Halved when memory ran out.
    size_t good_executions = 0; ///< Since it was last changed.

    /// After 64 of them a halved batch grows again: what filled the memory may be gone.
    void count_good(size_t most) {
      if (++good_executions >= 64 && frames < most)
        *this = {std::min(frames * 2, most), 0};
    }
  };

  std::unique_ptr<pipeline::device_networks> networks; ///< Made in the body, destroyed on `quit`.
  device_queue queue;
  std::deque<execution> under_way; ///< Oldest first; the device answers in this order.
  uint64_t last_ticket = 0;
  std::array<batch_limit, work_kinds> limits;
  bool next_sent = false; ///< A `next` is in the mailbox.
  bool lost = false;      ///< The device is gone: nothing runs any more.
  device_status status;
  caf::actor_clock::time_point reported; ///< When `report` was last called.

  static inline const char* name = "gpu-scheduler";
};

using gpu_scheduler_pointer = metered_actor<gpu_scheduler_actor, gpu_scheduler_state>*;

/// Serialises all work on one device: a request waits in a queue of its own, ordered by class and
/// arrival, and requests of the same class and kind share one execution up to `max_batch_frames`.
/// When the device runs out of memory the batch of that kind is halved and tried again. Ready once
/// the networks are loaded and have run. Spawn it detached: the networks are loaded and used on its
/// thread.
///
/// The device computes one execution at a time. Where executions overlap (on a GPU) it is given the
/// next before the last is collected, so that it never waits for the host; what is more urgent then
/// waits for two. Between any two steps the mailbox is looked at. When an execution fails, what is
/// under way beside it is dropped and done again.
///
/// A device that rejects work and then cannot run its networks at all is lost: `fatal` is told, and
/// what waits stays unanswered until the end of the service, so that jobs stay where the next start
/// takes them up.
gpu_scheduler_actor::behavior_type gpu_scheduler(gpu_scheduler_pointer self,
                                                 const gpu_scheduler_config& config,
                                                 const gpu_scheduler_parts& parts);

} // namespace musetalk::actors
