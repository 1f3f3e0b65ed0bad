#include "actors/job_queue.hpp"

#include <gmock/gmock.h>

using namespace musetalk;
using namespace musetalk::actors;
using ::testing::ElementsAre;
using namespace std::chrono_literals;

namespace {

using pipeline::job_priority;

pipeline::job make(const std::string& id, const std::string& avatar, int64_t created_us,
                   job_priority priority = job_priority::normal) {
  auto result = pipeline::job{};
  result.request.priority = priority;
  result.job_id = id;
  result.request.avatar_id = avatar;
  result.created_us = created_us;
  return result;
}

job_queue three() {
  auto queue = job_queue{};
  queue.push(make("second", "b", 2));
  queue.push(make("third", "a", 3));
  queue.push(make("first", "a", 1));
  return queue;
}

} // namespace

TEST(JobQueue, OrdersByCreationNotByArrival) {
  auto queue = three();
  EXPECT_EQ(queue.next([](const auto&) { return true; })->job_id, "first");
  EXPECT_EQ(queue.position("first"), 0);
  EXPECT_EQ(queue.position("second"), 1);
  EXPECT_EQ(queue.position("third"), 2);
  EXPECT_EQ(queue.position("unknown"), 0);
}

namespace {

std::vector<std::string> ids_of(const job_queue& queue) {
  auto result = std::vector<std::string>{};
  for (const auto& x : queue.jobs())
    result.push_back(x->job_id);
  return result;
}

} // namespace

TEST(JobQueue, LetsUrgentJobsPassThoseThatCameAStepBefore) {
  auto queue = job_queue{10us};
  queue.push(make("long ago", "a", 1));
  queue.push(make("lately", "b", 18));
  queue.push(make("urgent", "c", 20, job_priority::high));
  queue.push(make("not so", "d", 5, job_priority::low));
  EXPECT_THAT(ids_of(queue), ElementsAre("long ago", "urgent", "not so", "lately"));
}

TEST(JobQueue, LetsNobodyStarve) {
  auto queue = job_queue{10us};
  queue.push(make("patient", "p", 0, job_priority::low));
  auto started = 0;
  for (auto now = 1; started < 100; ++now) {
    auto name = std::to_string(now);
    queue.push(make(name, name, now, job_priority::high));
    auto next = queue.next([](const auto&) { return true; })->job_id;
    if (next == "patient")
      break;
    queue.take(next);
    ++started;
  }
  EXPECT_EQ(started, 19) << "two steps of urgent jobs, and then its turn has come";
}

TEST(JobQueue, KeepsTheOrderOfAnAvatar) {
  auto queue = job_queue{10us};
  queue.push(make("other", "b", 1));
  queue.push(make("first", "a", 2, job_priority::low));
  queue.push(make("second", "a", 3, job_priority::high));
  EXPECT_THAT(ids_of(queue), ElementsAre("first", "second", "other"))
      << "whoever wants the second soon wants the first sooner";
  queue.take("second");
  EXPECT_THAT(ids_of(queue), ElementsAre("other", "first"));
}

TEST(JobQueue, ShowsTheOldest) {
  auto ids = std::vector<std::string>{};
  for (const auto& x : three().first(2))
    ids.push_back(x.job_id);
  EXPECT_THAT(ids, ElementsAre("first", "second"));
  EXPECT_EQ(three().first(9).size(), 3u);
  EXPECT_TRUE(job_queue{}.first(1).empty());
}

TEST(JobQueue, PassesOverJobsWhoseAvatarIsBusy) {
  auto queue = three();
  EXPECT_EQ(queue.next([](const auto& x) { return x.request.avatar_id != "a"; })->job_id, "second");
  EXPECT_EQ(queue.next([](const auto&) { return false; }), nullptr);
}

TEST(JobQueue, GivesAJobOutOnce) {
  auto queue = three();
  EXPECT_EQ(queue.take("second")->request.avatar_id, "b");
  EXPECT_FALSE(queue.take("second"));
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_EQ(queue.find("second"), nullptr);
}

TEST(JobQueue, ListsTheJobsOfAnAvatarOldestFirst) {
  EXPECT_THAT(three().of_avatar("a"), ElementsAre("first", "third"));
}
