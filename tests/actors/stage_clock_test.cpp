#include "actors/stage_clock.hpp"

#include <gtest/gtest.h>

using namespace musetalk::actors;
using namespace std::chrono_literals;
using musetalk::pipeline::job_stage;

namespace {

stage_clock::time_point at(std::chrono::microseconds x) {
  return stage_clock::time_point{x};
}

} // namespace

TEST(StageClock, AddsUpToTheWallTimeThoughEveryStageIsRounded) {
  auto clock = stage_clock{};
  clock.enter(job_stage::validate, at(0us));
  clock.enter(job_stage::prepare, at(1'700us));
  clock.enter(job_stage::verify, at(3'400us));
  clock.enter(job_stage::publish, at(5'100us));
  clock.enter(job_stage::none, at(6'800us));
  auto sum = int64_t{0};
  for (const auto& [name, ms] : clock.timings_ms())
    sum += ms;
  EXPECT_EQ(sum, 6);
  EXPECT_EQ(clock.timings_ms().size(), 4u);
}

TEST(StageClock, CountsTheTimeInWhichASubStageHadWorkOnce) {
  auto clock = stage_clock{};
  clock.enter(job_stage::prepare, at(0us));
  clock.out("encode", at(0us));
  clock.out("encode", at(2'000us)); // overlaps
  clock.back("encode", at(5'000us));
  clock.back("encode", at(6'000us));
  clock.out("encode", at(10'000us)); // after a pause
  clock.back("encode", at(11'000us));
  EXPECT_EQ(clock.timings_ms().at("prepare.encode"), 7);
}
