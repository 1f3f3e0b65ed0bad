#pragma once

#include <cstdint>

namespace musetalk::http {

/// What the system says of this process, with the names that Prometheus gives them.
struct process_figures {
  double cpu_seconds = 0.;
  uint64_t resident_bytes = 0;
  uint64_t virtual_bytes = 0;
  uint64_t open_files = 0;
  uint64_t max_files = 0;
  uint64_t threads = 0;
  double start_time_s = 0.; ///< Since the epoch.
};

/// Zeros for what cannot be read.
process_figures read_process_figures();

} // namespace musetalk::http
