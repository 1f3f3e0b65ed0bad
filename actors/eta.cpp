#include "actors/eta.hpp"

#include <algorithm>
#include <chrono>

namespace musetalk::actors {

namespace {

/// Where the streamed stage begins, and how far it must have moved before its speed means anything.
constexpr double stream_begins = 0.05;
constexpr double enough_progress = 0.02;

/// Weight of the newest job in the mean.
constexpr double newest_share = 0.3;

double seconds(caf::actor_clock::duration_type x) {
  return std::chrono::duration<double>(x).count();
}

} // namespace

void job_eta::moved(double fraction, caf::actor_clock::time_point now) {
  fraction_ = std::max(fraction_, fraction);
  if (!since_ && fraction >= stream_begins) {
    since_ = now;
    from_ = fraction;
  }
}

double job_eta::rest_s(caf::actor_clock::time_point now) const {
  if (!since_ || fraction_ - from_ < enough_progress)
    return -1.;
  return seconds(now - *since_) / (fraction_ - from_) * (1. - fraction_);
}

void queue_eta::completed(double x) {
  mean_s_ = mean_s_ < 0. ? x : mean_s_ + newest_share * (x - mean_s_);
}

double queue_eta::rest_s(int64_t position, size_t places, double rest_s) const {
  if (mean_s_ < 0.)
    return -1.;
  auto rounds = static_cast<double>(position / static_cast<int64_t>(std::max<size_t>(places, 1)));
  return (rest_s < 0. ? mean_s_ : rest_s) + (rounds + 1.) * mean_s_;
}

} // namespace musetalk::actors
