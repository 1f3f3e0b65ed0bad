#pragma once

#include "pipeline/job.hpp"

#include <caf/actor_clock.hpp>

#include <cstdint>
#include <map>
#include <string>

namespace musetalk::actors {

/// Where the time of a job goes: wall time of its stages, whose sum is the job's, and of the
/// sub-stages of the streamed stage, which overlap: for each the time in which at least one of its
/// requests was out.
class stage_clock {
public:
  using time_point = caf::actor_clock::time_point;

  /// Ends the stage before, if there is one, and begins another. `none` only ends.
  void enter(pipeline::job_stage stage, time_point now);

  /// A request of a sub-stage goes out, and comes back.
  void out(const std::string& sub_stage, time_point now);
  void back(const std::string& sub_stage, time_point now);

  /// Milliseconds by `stage` and `stage.sub_stage`. Stages add up to the time since the first
  /// `enter`.
  std::map<std::string, int64_t> timings_ms() const { return timings_ms_; }

private:
  struct sub {
    int32_t out = 0;
    time_point since;
    caf::actor_clock::duration_type total{};
  };

  pipeline::job_stage stage_ = pipeline::job_stage::none;
  time_point first_;
  int64_t told_ms_ = 0; ///< Of the stages that have ended.
  std::map<std::string, sub> subs_;
  std::map<std::string, int64_t> timings_ms_;
};

} // namespace musetalk::actors
