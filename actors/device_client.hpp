#pragma once

#include "actors/interfaces.hpp"
#include "pipeline/face_analysis.hpp"

#include <caf/fwd.hpp>

#include <chrono>
#include <memory>
#include <stop_token>

namespace musetalk::actors {

struct device_client_config {
  std::chrono::milliseconds timeout{120'000}; ///< Of one call.
  std::chrono::milliseconds busy_retry{50};   ///< Until a device that was busy is asked again.
};

/// The GPU SCHEDULER's face networks for code that knows nothing of actors. Each call is one
/// request, on behalf of `job`, and waits for its answer: only for threads that may wait. It ends
/// early when the work is withdrawn (`atom::cancel`, or at once by `stop`) or the GPU SCHEDULER
/// ends, and throws what was answered: `cancelled`, `stopping`, `worker_died`, `timeout`,
/// `device_*`.
/// @param system Outlives what is made.
/// @param gpu Not null.
std::shared_ptr<pipeline::face_analysis>
make_device_client(caf::actor_system& system, const gpu_scheduler_actor& gpu, const job_id& job,
                   const device_client_config& config, const std::stop_token& stop = {});

/// The same for its audio network; work of the class `speak`.
std::shared_ptr<pipeline::sound_analysis> make_device_listener(caf::actor_system& system,
                                                               const gpu_scheduler_actor& gpu,
                                                               const job_id& job,
                                                               const device_client_config& config);

} // namespace musetalk::actors
