#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "http/gate/deadlines.hpp"

namespace musetalk::http::gate {

/// How long a WebSocket has been waiting for its client. Not thread-safe.
class socket_times {
public:
  enum class verdict {
    fine,
    ping,     ///< Nothing has come for a while: ask.
    too_slow, ///< A message takes longer than it may.
    gone,     ///< No sign of life.
  };

  explicit socket_times(time_point now) : heard_(now) {}

  /// Bytes have come.
  void heard(size_t bytes, time_point now) noexcept;

  /// A message, or a frame of control, is whole: what comes next begins another.
  void whole() noexcept { began_.reset(); }

  /// Starts all waits anew: we did not listen.
  void restart(time_point now) noexcept;

  /// Says `ping` once for each silence.
  verdict look(time_point now, const limits& bounds, std::chrono::milliseconds idle) noexcept;

private:
  time_point heard_;
  std::optional<time_point> began_; ///< The first byte of what is not whole yet.
  uint64_t bytes_ = 0;              ///< Of it.
  bool asked_ = false;
};

} // namespace musetalk::http::gate
