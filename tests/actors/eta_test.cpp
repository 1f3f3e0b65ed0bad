#include "actors/eta.hpp"

#include <gtest/gtest.h>

using namespace musetalk::actors;
using namespace std::chrono_literals;

namespace {

caf::actor_clock::time_point at(std::chrono::seconds x) {
  return caf::actor_clock::time_point{x};
}

} // namespace

TEST(JobEta, IsUnknownUntilTheStreamHasMoved) {
  auto eta = job_eta{};
  EXPECT_LT(eta.rest_s(at(0s)), 0.);
  eta.moved(0.01, at(1s));
  EXPECT_LT(eta.rest_s(at(2s)), 0.);
  eta.moved(0.05, at(2s));
  eta.moved(0.06, at(3s));
  EXPECT_LT(eta.rest_s(at(3s)), 0.);
}

TEST(JobEta, FollowsTheSpeedOfTheStreamAlone) {
  auto eta = job_eta{};
  // Validation was slow; it says nothing about the rest.
  eta.moved(0.05, at(100s));
  eta.moved(0.45, at(140s));
  EXPECT_DOUBLE_EQ(eta.rest_s(at(140s)), 55.);
}

TEST(QueueEta, AddsTheJobsAhead) {
  auto eta = queue_eta{};
  EXPECT_LT(eta.rest_s(0, 1, 0.), 0.);
  eta.completed(10.);
  EXPECT_DOUBLE_EQ(eta.rest_s(0, 1, 0.), 10.);
  EXPECT_DOUBLE_EQ(eta.rest_s(0, 1, 4.), 14.);
  EXPECT_DOUBLE_EQ(eta.rest_s(2, 1, 4.), 34.);
  EXPECT_DOUBLE_EQ(eta.rest_s(2, 2, 4.), 24.);
  EXPECT_DOUBLE_EQ(eta.rest_s(0, 1, -1.), 20.);
}
