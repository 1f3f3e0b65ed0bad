#include "http/gate/socket_times.hpp"

namespace musetalk::http::gate {

void socket_times::heard(size_t bytes, time_point now) noexcept {
  if (!began_) {
    began_ = now;
    bytes_ = 0;
  }
  bytes_ += bytes;
  heard_ = now;
  asked_ = false;
}

void socket_times::restart(time_point now) noexcept {
  heard_ = now;
  began_.reset();
  asked_ = false;
}

socket_times::verdict socket_times::look(time_point now, const limits& bounds,
                                         std::chrono::milliseconds idle) noexcept {
  auto silent = now - heard_;
  if (silent > idle)
    return verdict::gone;
  // As with a body: some time for nothing, then a least mean rate.
  if (began_) {
    auto late = std::chrono::duration<double>(now - *began_ - bounds.body_idle_timeout).count();
    auto least = late * static_cast<double>(bounds.min_body_bytes_per_s);
    if (silent > bounds.body_idle_timeout || (late > 0 && static_cast<double>(bytes_) < least))
      return verdict::too_slow;
  }
  if (silent > idle / 2 && !asked_) {
    asked_ = true;
    return verdict::ping;
  }
  return verdict::fine;
}

} // namespace musetalk::http::gate
