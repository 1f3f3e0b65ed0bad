#pragma once

#include "actors/interfaces.hpp"

#include <mutex>
#include <utility>
#include <vector>

namespace musetalk::actors {

/// The workers of the system. A handle is null when there is no such worker: a service in mock mode
/// has no GPU SCHEDULER.
struct worker_set {
  storage_writer_actor storage;
  gpu_scheduler_actor gpu;
  upload_receiver_actor uploads;
  janitor_actor janitor;
  preprocessor_actor prober; ///< For probes only, so that these never wait long.
  std::vector<preprocessor_actor> preprocessors; ///< One per place of a running job.
};

/// The workers as they now are: a worker that died is replaced here, and whoever asks next finds
/// the new one. Safe from any thread. Cleared when the system stops, which frees the handles.
class worker_directory {
public:
  worker_set get() const {
    auto lock = std::lock_guard{mutex_};
    return workers_;
  }

  /// @param f Called with the workers to change; must not block.
  template <class F>
  void change(F&& f) {
    auto lock = std::lock_guard{mutex_};
    std::forward<F>(f)(workers_);
  }

private:
  mutable std::mutex mutex_;
  worker_set workers_;
};

} // namespace musetalk::actors
