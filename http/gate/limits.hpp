#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace musetalk::http::gate {

/// Every bound of the gate. Body limits are the routes' own (`route_limits`).
struct limits {
  size_t max_head_bytes = 16 * 1024; ///< Request line and header fields together.
  size_t max_headers = 64;           ///< Header fields.
  size_t max_target_bytes = 2048;    ///< Path and query as sent.
  size_t max_query_pairs = 64;       ///< Pairs of the query.
  size_t max_connections =
      4096;                  ///< Beyond: 503 and closed. Lowered when file handles do not suffice.
  size_t max_sockets = 1024; ///< WebSockets among them; beyond: refused.
  size_t stream_queue_bytes =
      256 * 1024; ///< Unsent bytes of one stream; beyond, the client is cut off.
  uint64_t linger_bytes = 1ull << 30; ///< Read and thrown away after an early answer, then cut.
  uint64_t min_body_bytes_per_s =
      256; ///< Mean rate of a request body after its first idle time-out.
  std::chrono::milliseconds head_timeout{
      10'000}; ///< First byte of a head to its last; also the first wait.
  std::chrono::milliseconds body_idle_timeout{20'000};   ///< Without any byte of a body.
  std::chrono::milliseconds keep_alive_timeout{75'000};  ///< Between two requests.
  std::chrono::milliseconds write_stall_timeout{30'000}; ///< Without the client taking any byte.
  /// Without any byte, for the client to close after our last one.
  std::chrono::milliseconds linger_timeout{5'000};
  /// In all, for the client to close after our last byte.
  std::chrono::milliseconds linger_total_timeout{30'000};
  std::chrono::milliseconds sweep_interval{250}; ///< How often the time-outs are looked at.
};

} // namespace musetalk::http::gate
