#include "http/gate/deadlines.hpp"

namespace musetalk::http::gate {

bool deadlines::expired(time_point now, const limits& bounds) const noexcept {
  using duration = std::chrono::steady_clock::duration;
  auto total = now - time_point{duration{began_.load()}};
  auto idle = now - time_point{duration{last_.load()}};
  switch (phase_.load()) {
  // All of a head counts from its first byte: one byte now and then buys no time.
  case phase::head:
    return total > bounds.head_timeout;
  case phase::idle:
    return total > bounds.keep_alive_timeout;
  case phase::body: {
    if (idle > bounds.body_idle_timeout)
      return true;
    auto seconds = std::chrono::duration<double>(total - bounds.body_idle_timeout).count();
    return seconds > 0 && static_cast<double>(bytes_.load()) <
                              seconds * static_cast<double>(bounds.min_body_bytes_per_s);
  }
  case phase::answering:
    return false;
  case phase::lingering:
    return idle > bounds.linger_timeout || total > bounds.linger_total_timeout;
  }
  return false;
}

} // namespace musetalk::http::gate
