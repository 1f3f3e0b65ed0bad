#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "http/gate/limits.hpp"

namespace musetalk::http::gate {

using time_point = std::chrono::steady_clock::time_point;

/// How long one connection has been waiting for what. The connection's thread writes, the sweeper
/// reads; a verdict that came of a torn read is harmless, because the connection's thread looks
/// again before it acts.
class deadlines {
public:
  /// What is waited for.
  enum class phase {
    head,      ///< The first head, or the rest of one.
    idle,      ///< Another request.
    body,      ///< The rest of a body.
    answering, ///< Ourselves: no limit here.
    lingering, ///< The client to see our answer and close.
  };

  explicit deadlines(time_point now) { enter(phase::head, now); }

  void enter(phase what, time_point now) noexcept {
    began_ = last_ = now.time_since_epoch().count();
    bytes_ = 0;
    phase_ = what;
  }

  /// Notes that bytes came.
  void progress(uint64_t bytes, time_point now) noexcept {
    bytes_ += bytes;
    last_ = now.time_since_epoch().count();
  }

  phase current() const noexcept { return phase_; }

  /// Whether the wait has been too long.
  bool expired(time_point now, const limits& bounds) const noexcept;

private:
  std::atomic<phase> phase_{phase::head};
  std::atomic<int64_t> began_{0};
  std::atomic<int64_t> last_{0};
  std::atomic<uint64_t> bytes_{0};
};

} // namespace musetalk::http::gate
