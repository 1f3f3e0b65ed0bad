#include "actors/stage_clock.hpp"

#include <chrono>

namespace musetalk::actors {

namespace {

int64_t ms(caf::actor_clock::duration_type x) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(x).count();
}

} // namespace

void stage_clock::enter(pipeline::job_stage stage, time_point now) {
  if (stage_ == pipeline::job_stage::none) {
    if (timings_ms_.empty())
      first_ = now;
  } else {
    // Differences of rounded sums, so that no millisecond is lost between stages.
    auto since_first = ms(now - first_);
    timings_ms_[std::string{to_string(stage_)}] += since_first - told_ms_;
    told_ms_ = since_first;
  }
  stage_ = stage;
}

void stage_clock::out(const std::string& sub_stage, time_point now) {
  auto& x = subs_[sub_stage];
  if (x.out++ == 0)
    x.since = now;
}

void stage_clock::back(const std::string& sub_stage, time_point now) {
  auto& x = subs_[sub_stage];
  if (--x.out == 0)
    x.total += now - x.since;
  timings_ms_[std::string{to_string(stage_)} + "." + sub_stage] = ms(x.total);
}

} // namespace musetalk::actors
