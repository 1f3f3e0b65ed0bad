#include "actors/restart.hpp"

#include "tests/actors/fake_catalog.hpp"

#include <gtest/gtest.h>

using namespace musetalk;
using namespace musetalk::actors;
using pipeline::job_state;

namespace {

pipeline::job interrupted(job_state state, uint32_t attempt) {
  auto result = pipeline::job{};
  result.job_id = "j";
  result.state = state;
  result.attempt = attempt;
  result.interruptions = attempt - 1;
  result.created_us = 1;
  result.started_us = 5;
  return result;
}

} // namespace

TEST(Restart, PutsAnInterruptedJobBackIntoTheQueue) {
  auto x = after_restart(interrupted(job_state::running, 1), "", 3, 100);
  EXPECT_EQ(x.state, job_state::queued);
  EXPECT_EQ(x.attempt, 2u);
  EXPECT_EQ(x.started_us, 0);
  EXPECT_EQ(x.finished_us, 0);
  EXPECT_EQ(x.created_us, 1) << "it keeps its place in the queue";
}

TEST(Restart, GivesUpAfterTheLastAttempt) {
  auto x = after_restart(interrupted(job_state::running, 3), "", 3, 100);
  EXPECT_EQ(x.state, job_state::failed);
  EXPECT_EQ(x.failure.code, errc::attempts_exhausted);
  EXPECT_NE(x.failure.detail.find("limit is 3"), std::string::npos);
  EXPECT_EQ(x.finished_us, 100);
}

TEST(Restart, DoesNotCountTheAttemptsThatAClientAskedFor) {
  auto retried = interrupted(job_state::running, 7);
  retried.interruptions = 0;
  auto x = after_restart(retried, "", 3, 100);
  EXPECT_EQ(x.state, job_state::queued);
  EXPECT_EQ(x.attempt, 8u);
  EXPECT_EQ(x.interruptions, 1u);
}

TEST(Restart, CancelsWhatWasBeingCancelled) {
  auto x = after_restart(interrupted(job_state::cancelling, 1), "", 3, 100);
  EXPECT_EQ(x.state, job_state::cancelled);
  EXPECT_EQ(x.finished_us, 100);
}

TEST(Restart, CompletesWhatHadPublishedItsVersion) {
  for (auto state : {job_state::running, job_state::cancelling}) {
    auto x = after_restart(interrupted(state, 3), "v000007", 3, 100);
    EXPECT_EQ(x.state, job_state::completed);
    EXPECT_EQ(x.version, "v000007");
    EXPECT_EQ(x.finished_us, 100);
  }
}

TEST(Restart, OnlyMakesMovesThatTheTableAllows) {
  for (auto state : {job_state::running, job_state::cancelling})
    for (auto attempt : {1u, 3u})
      for (const auto* published : {"", "v000001"}) {
        auto x = after_restart(interrupted(state, attempt), published, 3, 100);
        EXPECT_TRUE(transition_allowed(state, x.state));
      }
}

TEST(Restart, StoresEveryDecisionAndGivesThoseThatAreFinal) {
  auto catalog = tests::fake_catalog{};
  auto x = interrupted(job_state::running, 1);
  catalog.jobs["again"] = x;
  catalog.jobs["again"].job_id = "again";
  x.attempt = 3;
  x.interruptions = 2;
  x.job_id = "worn";
  catalog.jobs["worn"] = x;
  auto ended = recover_jobs(catalog, 3, 100);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].job_id, "worn");
  EXPECT_EQ(catalog.jobs["again"].state, job_state::queued);
  EXPECT_EQ(catalog.jobs["worn"].state, job_state::failed);
  EXPECT_EQ(catalog.log.size(), 2u);
}
