#include "pipeline/retention_plan.hpp"

#include <gmock/gmock.h>

using namespace musetalk::pipeline;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace {

constexpr auto day = timestamp_us{86'400} * 1'000'000;
constexpr auto now = 1'000 * day;

/// A version of 10 bytes that was made and replaced so many days ago; never replaced below 0.
avatar_version version(const std::string& name, int64_t made, int64_t replaced = -1) {
  auto x = avatar_version{};
  x.version = name;
  x.created_us = now - made * day;
  x.retired_us = replaced < 0 ? 0 : now - replaced * day;
  x.bytes = 10;
  return x;
}

/// The last version is current. Last used so many days ago.
avatar make(const std::string& id, int64_t used, std::vector<avatar_version> versions) {
  auto x = avatar{};
  x.avatar_id = id;
  x.created_us = versions.front().created_us;
  x.used_us = now - used * day;
  x.current_version = versions.back().version;
  x.versions = std::move(versions);
  return x;
}

/// `anna v000001` for a version, `anna` for a whole avatar; in order.
std::vector<std::string> gone(const retention_plan& plan) {
  auto result = std::vector<std::string>{};
  for (const auto& x : plan.removals)
    result.push_back(x.avatar_id + (x.version.empty() ? "" : " " + x.version));
  return result;
}

const auto three =
    std::vector{version("v000001", 30, 20), version("v000002", 20, 10), version("v000003", 10)};

} // namespace

TEST(RetentionPlan, KeepsEverythingWithoutSettings) {
  auto plan = plan_retention(std::vector{make("anna", 900, three)}, {}, {}, now);
  EXPECT_THAT(plan.removals, IsEmpty());
  EXPECT_EQ(plan.bytes, 30u);
  EXPECT_EQ(plan.bytes_kept, 30u);
  EXPECT_FALSE(plan.applied);
}

TEST(RetentionPlan, DropsTheOldestVersionsBeyondTheLimit) {
  auto plan = plan_retention(std::vector{make("anna", 0, three)}, {}, {.keep_versions = 2}, now);
  EXPECT_THAT(gone(plan), ElementsAre("anna v000001"));
  EXPECT_EQ(plan.removals[0].reason, retention_reason::surplus);
  EXPECT_EQ(plan.removals[0].detail, "The avatar has 3 versions; 2 are kept.");
  EXPECT_EQ(plan.bytes_kept, 20u);
}

TEST(RetentionPlan, KeepsTheCurrentVersionHoweverOldItIs) {
  auto anna = make("anna", 0, three);
  anna.current_version = "v000001";
  EXPECT_THAT(gone(plan_retention(std::vector{anna}, {}, {.keep_versions = 2}, now)),
              ElementsAre("anna v000002"));
  EXPECT_THAT(gone(plan_retention(std::vector{anna}, {}, {.keep_versions = 1}, now)),
              ElementsAre("anna v000002", "anna v000003"));
}

TEST(RetentionPlan, LeavesAVersionToItsReadersForAWhile) {
  auto policy = retention_policy{.keep_versions = 1, .grace_us = 15 * day};
  auto anna = make("anna", 0, three);
  EXPECT_THAT(gone(plan_retention(std::vector{anna}, {}, policy, now)),
              ElementsAre("anna v000001"));
  EXPECT_THAT(gone(plan_retention(std::vector{anna}, {}, policy, now + 5 * day)),
              ElementsAre("anna v000001", "anna v000002"));
}

TEST(RetentionPlan, DropsAvatarsThatNobodyUsed) {
  auto avatars = std::vector{make("anna", 8, three), make("bert", 7, {version("v000001", 50)}),
                             make("carl", 6, {version("v000001", 50)})};
  auto plan = plan_retention(avatars, {}, {.expire_us = 7 * day}, now);
  EXPECT_THAT(gone(plan), ElementsAre("anna", "bert"));
  EXPECT_EQ(plan.removals[0].bytes, 30u);
  EXPECT_EQ(plan.removals[0].detail, "Nobody used the avatar for 8.0 days; the limit is 7.0 days.");
}

TEST(RetentionPlan, CountsANewVersionAsAUse) {
  auto anna = make("anna", 100, {version("v000001", 200, 3), version("v000002", 3)});
  EXPECT_THAT(gone(plan_retention(std::vector{anna}, {}, {.expire_us = 7 * day}, now)), IsEmpty());
}

TEST(RetentionPlan, MakesRoomWithOldVersionsFirstThenWithTheLeastRecentlyUsedAvatars) {
  auto avatars = std::vector{make("anna", 5, three), make("bert", 9, {version("v000001", 50)}),
                             make("carl", 1, {version("v000001", 60, 15), version("v000002", 15)})};
  // Sixty bytes: what is replaced goes by the time of its replacement, whoever it belongs to.
  EXPECT_THAT(gone(plan_retention(avatars, {}, {.max_bytes = 59}, now)),
              ElementsAre("anna v000001"));
  EXPECT_THAT(gone(plan_retention(avatars, {}, {.max_bytes = 30}, now)),
              ElementsAre("anna v000001", "carl v000001", "anna v000002"));
  auto plan = plan_retention(avatars, {}, {.max_bytes = 15}, now);
  EXPECT_THAT(gone(plan),
              ElementsAre("anna v000001", "carl v000001", "anna v000002", "bert", "anna"));
  EXPECT_EQ(plan.bytes_kept, 10u);
  EXPECT_THAT(plan.removals.back().detail, HasSubstr("The store has 20 bytes; the limit is 15."));
}

TEST(RetentionPlan, StopsAsSoonAsTheStoreFits) {
  auto avatars = std::vector{make("anna", 5, {version("v000001", 50)}),
                             make("bert", 9, {version("v000001", 50)})};
  EXPECT_THAT(gone(plan_retention(avatars, {}, {.max_bytes = 20}, now)), IsEmpty());
  EXPECT_THAT(gone(plan_retention(avatars, {}, {.max_bytes = 19}, now)), ElementsAre("bert"));
}

TEST(RetentionPlan, NeverTouchesAPinnedAvatar) {
  auto anna = make("anna", 900, three);
  anna.pinned = true;
  auto policy = retention_policy{.keep_versions = 1, .expire_us = day, .max_bytes = 1};
  auto plan = plan_retention(std::vector{anna}, {}, policy, now);
  EXPECT_THAT(plan.removals, IsEmpty());
  // What is kept all the same is told, so that somebody sees that the limit does not hold.
  EXPECT_EQ(plan.bytes_kept, 30u);
}

TEST(RetentionPlan, NeverTouchesAnAvatarWithAJob) {
  auto policy = retention_policy{.keep_versions = 1, .expire_us = day, .max_bytes = 1};
  auto avatars = std::vector{make("anna", 900, three)};
  EXPECT_THAT(plan_retention(avatars, {"anna"}, policy, now).removals, IsEmpty());
  EXPECT_THAT(gone(plan_retention(avatars, {"bert"}, policy, now)),
              ElementsAre("anna v000001", "anna v000002", "anna"));
}

TEST(RetentionPlan, LeavesAnAvatarThatWasJustUsed) {
  auto policy = retention_policy{.max_bytes = 1, .grace_us = 2 * day};
  auto avatars = std::vector{make("anna", 1, {version("v000001", 50)}),
                             make("bert", 3, {version("v000001", 50)})};
  EXPECT_THAT(gone(plan_retention(avatars, {}, policy, now)), ElementsAre("bert"));
}

TEST(RetentionPlan, LeavesAvatarsWithoutAVersionToTheirJobs) {
  auto failed = avatar{};
  failed.avatar_id = "dora";
  EXPECT_THAT(
      plan_retention(std::vector{failed}, {}, {.expire_us = day, .max_bytes = 1}, now).removals,
      IsEmpty());
}
