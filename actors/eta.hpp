#pragma once

#include <caf/actor_clock.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace musetalk::actors {

/// Estimates the rest of a running job from its own progress. Unknown until the streamed stage has
/// moved: validation says nothing about the speed of the work.
class job_eta {
public:
  void moved(double fraction, caf::actor_clock::time_point now);

  /// Seconds to the end; negative when unknown.
  double rest_s(caf::actor_clock::time_point now) const;

private:
  std::optional<caf::actor_clock::time_point> since_;
  double from_ = 0.;
  double fraction_ = 0.;
};

/// Estimates when a queued job ends from the jobs that ended before it.
class queue_eta {
public:
  void completed(double seconds);

  /// @param position Jobs ahead of it in the queue.
  /// @param places Jobs that run at once.
  /// @param rest_s Until the first place is free; negative when unknown, 0 when one is.
  /// @returns Seconds to the end; negative when unknown.
  double rest_s(int64_t position, size_t places, double rest_s) const;

private:
  double mean_s_ = -1.;
};

} // namespace musetalk::actors
