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

TEST(JobEta, TrustsThePastAtFirstAndItselfLater) {
  auto eta = job_eta{};
  eta.begin(at(0s), 100.);
  EXPECT_DOUBLE_EQ(eta.rest_s(at(10s)), 90.);
  eta.moved(0.05, at(10s));
  // Twice as fast as thought: at the middle of the stream both count the same.
  eta.moved(0.475, at(30s));
  auto own = 20. / 0.425 * 0.525;
  EXPECT_DOUBLE_EQ(eta.rest_s(at(30s)), 0.5 * own + 0.5 * 70.);
  eta.moved(0.9, at(50s));
  EXPECT_NEAR(eta.rest_s(at(50s)), 40. / 0.85 * 0.1, 1e-9);
  EXPECT_NEAR(eta.rest_s(at(52s)), 40. / 0.85 * 0.1 - 2., 1e-9) << "time passes between two moves";
}

TEST(JobEta, IsNeverDoneBeforeItIs) {
  auto eta = job_eta{};
  eta.begin(at(0s), 20.);
  EXPECT_DOUBLE_EQ(eta.rest_s(at(500s)), 1.);
}

TEST(WorkHistory, KnowsNothingAtFirst) {
  EXPECT_LT(work_history{}.predict_s({100, 1, false}), 0.);
}

TEST(WorkHistory, ScalesWithTheFrames) {
  auto past = work_history{};
  past.add({100, 1000, false}, 10.);
  EXPECT_DOUBLE_EQ(past.predict_s({200, 1000, false}), 20.);
  EXPECT_DOUBLE_EQ(past.predict_s({0, 0, false}), 10.) << "of unknown size: as long as the others";
}

TEST(WorkHistory, KnowsWhatDoesNotGrowWithTheFrames) {
  auto past = work_history{};
  past.add({10, 1, false}, 2.);
  past.add({100, 1, false}, 11.);
  EXPECT_NEAR(past.predict_s({200, 1, false}), 21., 1e-9);
  EXPECT_NEAR(past.predict_s({1, 1, false}), 1.1, 1e-9);
  past.add({100, 1, false}, 1.);
  EXPECT_GE(past.predict_s({1'000, 1, false}), past.predict_s({100, 1, false}))
      << "more frames never take less";
}

TEST(WorkHistory, TrustsTheMostSimilarJobs) {
  auto past = work_history{};
  past.add({100, 1000, false}, 10.);
  past.add({100, 16000, false}, 80.);
  EXPECT_NEAR(past.predict_s({100, 1000, false}), 10., 5.);
  EXPECT_NEAR(past.predict_s({100, 16000, false}), 80., 5.);
  past.add({100, 1000, true}, 40.);
  EXPECT_NEAR(past.predict_s({100, 1000, true}), 40., 5.);
}

TEST(WorkHistory, FollowsAMachineThatGotSlower) {
  auto past = work_history{};
  for (auto i = 0; i < 64; ++i)
    past.add({100, 1, false}, 10.);
  for (auto i = 0; i < 20; ++i)
    past.add({100, 1, false}, 20.);
  EXPECT_GT(past.predict_s({100, 1, false}), 18.);
}

namespace {

planned_work work(const std::string& avatar, double seconds, const std::string& same = {}) {
  return {avatar, same, seconds, false};
}

} // namespace

TEST(PlanEnds, FillsThePlacesInTurn) {
  auto running = std::vector{work("a", 4.)};
  auto waiting = std::vector{work("b", 10.), work("c", 10.), work("d", 1.)};
  EXPECT_EQ(plan_ends(running, 1, waiting), (std::vector{14., 24., 25.}));
  EXPECT_EQ(plan_ends(running, 2, waiting), (std::vector{10., 14., 11.}));
  EXPECT_EQ(plan_ends({}, 1, waiting), (std::vector{10., 20., 21.}));
}

TEST(PlanEnds, LetsTheJobsOfOneAvatarFollowEachOther) {
  auto waiting = std::vector{work("a", 10.), work("a", 10.)};
  EXPECT_EQ(plan_ends({}, 2, waiting), (std::vector{10., 20.}));
}

TEST(PlanEnds, PreparesTheSameWorkOnce) {
  auto waiting = std::vector{work("a", 10., "x"), work("b", 10., "x"), work("c", 5.)};
  auto ends = plan_ends({}, 1, waiting);
  EXPECT_NEAR(ends[1], 10., 1.);
  EXPECT_DOUBLE_EQ(ends[2], 15.);
  waiting[2].linked = true;
  EXPECT_LT(plan_ends({}, 1, waiting)[2], 1.);
}

TEST(PlanEnds, SaysWhatIsNotKnown) {
  auto running = std::vector{work("a", -1.)};
  auto waiting = std::vector{work("b", 10.), work("c", -1.)};
  EXPECT_EQ(plan_ends(running, 1, waiting), (std::vector{-1., -1.}));
  EXPECT_EQ(plan_ends(running, 2, waiting), (std::vector{10., -1.}));
}
