#include "actors/job_queue.hpp"

#include <gmock/gmock.h>

using namespace musetalk;
using namespace musetalk::actors;
using ::testing::ElementsAre;

namespace {

pipeline::job make(const std::string& id, const std::string& avatar, int64_t created_us) {
  auto result = pipeline::job{};
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
  EXPECT_EQ(queue.next([](const auto&) { return false; })->job_id, "first");
  EXPECT_EQ(queue.position("first"), 0);
  EXPECT_EQ(queue.position("second"), 1);
  EXPECT_EQ(queue.position("third"), 2);
  EXPECT_EQ(queue.position("unknown"), 0);
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
  EXPECT_EQ(queue.next([](const auto& x) { return x == "a"; })->job_id, "second");
  EXPECT_EQ(queue.next([](const auto&) { return true; }), nullptr);
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
