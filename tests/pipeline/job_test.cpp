#include "pipeline/job.hpp"

#include <gtest/gtest.h>

#include <set>

using namespace musetalk::pipeline;

namespace {

constexpr job_state all_states[] = {job_state::queued,    job_state::running, job_state::cancelling,
                                    job_state::completed, job_state::failed,  job_state::cancelled};

} // namespace

TEST(JobState, HasOneNameThatReadsBack) {
  auto names = std::set<std::string_view>{};
  for (auto state : all_states) {
    EXPECT_EQ(job_state_from_string(to_string(state)), state);
    names.insert(to_string(state));
  }
  EXPECT_EQ(names, (std::set<std::string_view>{"queued", "running", "cancelling", "completed",
                                               "failed", "cancelled"}));
  EXPECT_EQ(job_state_from_string("Queued"), std::nullopt);
  EXPECT_EQ(job_state_from_string(""), std::nullopt);
}

TEST(JobState, LeavesAFinalStateOnlyForAnotherAttempt) {
  for (auto from : all_states)
    for (auto to : all_states)
      if (is_final(from)) {
        auto retried = from != job_state::completed && to == job_state::queued;
        EXPECT_EQ(transition_allowed(from, to), retried)
            << to_string(from) << " -> " << to_string(to);
      }
}

TEST(JobState, MovesOnlyAsTheTableSays) {
  auto moves = std::set<std::pair<job_state, job_state>>{};
  for (auto from : all_states)
    for (auto to : all_states)
      if (transition_allowed(from, to))
        moves.emplace(from, to);
  using enum job_state;
  EXPECT_EQ(moves, (std::set<std::pair<job_state, job_state>>{
                       {queued, running},
                       {queued, failed},
                       {queued, cancelled},
                       {running, queued},
                       {running, cancelling},
                       {running, completed},
                       {running, failed},
                       {cancelling, completed},
                       {cancelling, failed},
                       {cancelling, cancelled},
                       {failed, queued},
                       {cancelled, queued},
                   }));
}

TEST(JobStage, HasAName) {
  EXPECT_EQ(to_string(job_stage::prepare), "prepare");
  EXPECT_EQ(to_string(job_stage::publish), "publish");
  EXPECT_EQ(to_string(job_kind::create), "create");
}
