#include "tests/actors/registry_fixture.hpp"

#include <gmock/gmock.h>

#include <algorithm>

using namespace musetalk;
using namespace musetalk::actors;
using namespace std::chrono_literals;
using pipeline::job_state;
using pipeline::retention_plan;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

namespace {

struct RegistryKeeping : tests::Registry {
  RegistryKeeping() { now_us = 1'000'000'000'000; }

  /// An avatar with so many versions, replaced and last used at these times.
  void add_avatar(const std::string& id, int versions, int64_t used_us) {
    auto& x = catalog->avatars[id];
    x.avatar_id = id;
    x.used_us = used_us;
    for (auto i = 1; i <= versions; ++i) {
      auto& version = x.versions.emplace_back();
      version.version = "v00000" + std::to_string(i);
      version.bytes = 100;
      version.engine = "native";
      version.created_us = i;
      version.job_id = "maker-" + id;
    }
    x.current_version = x.versions.back().version;
  }

  retention_plan clean(bool apply = true) {
    return *ask<retention_plan>(aut, atom::clean_v, apply).value;
  }

  void tick() {
    self->send(aut, atom::tick_v);
    sched.run();
  }
};

std::vector<std::string> versions_of(const pipeline::avatar& x) {
  auto result = std::vector<std::string>{};
  for (const auto& version : x.versions)
    result.push_back(version.version);
  return result;
}

} // namespace

TEST_F(RegistryKeeping, TellsWhatWouldGoAndRemovesNothing) {
  limits.retention.keep_versions = 1;
  add_avatar("anna", 3, 5);
  spawn();
  auto plan = clean(false);
  EXPECT_EQ(plan.removals.size(), 2u);
  EXPECT_FALSE(plan.applied);
  EXPECT_EQ(catalog->avatars["anna"].versions.size(), 3u);
  EXPECT_THAT(world.log, Not(Contains(HasSubstr("remove"))));
}

TEST_F(RegistryKeeping, RemovesWhatThePlanSays) {
  limits.retention.keep_versions = 1;
  limits.retention.expire_us = 1'000;
  add_avatar("anna", 2, now_us);
  add_avatar("bert", 1, 5);
  spawn();
  auto plan = clean();
  EXPECT_TRUE(plan.applied);
  ASSERT_EQ(plan.removals.size(), 2u);
  EXPECT_EQ(plan.removals[0].failure, "");
  EXPECT_EQ(plan.removals[1].failure, "");
  EXPECT_EQ(plan.bytes_kept, 100u);
  EXPECT_THAT(versions_of(catalog->avatars["anna"]), ElementsAre("v000002"));
  EXPECT_FALSE(catalog->avatars.contains("bert"));
  EXPECT_THAT(world.log, Contains("remove anna v000001"));
}

TEST_F(RegistryKeeping, KeepsTheAvatarOfAJobAndAPinnedOne) {
  limits.retention.expire_us = 1'000;
  add_avatar("anna", 1, 5);
  add_avatar("bert", 1, 5);
  spawn();
  submit("anna");
  ASSERT_TRUE(ask<pipeline::avatar>(aut, atom::pin_v, avatar_id{"bert"}, true).value->pinned);
  EXPECT_THAT(clean().removals, IsEmpty());
  ask<pipeline::avatar>(aut, atom::pin_v, avatar_id{"bert"}, false);
  EXPECT_EQ(clean().removals.size(), 1u);
  EXPECT_EQ((ask<pipeline::avatar>(aut, atom::pin_v, avatar_id{"dora"}, true).code),
            errc::avatar_not_found);
}

TEST_F(RegistryKeeping, GoesOnAfterARemovalThatFails) {
  limits.retention.keep_versions = 1;
  add_avatar("anna", 2, 5);
  add_avatar("bert", 2, 5);
  world.faults["remove anna v000001"] = errc::storage_failed;
  spawn();
  auto plan = clean();
  ASSERT_EQ(plan.removals.size(), 2u);
  EXPECT_THAT(plan.removals[0].failure, HasSubstr("remove anna v000001 failed"));
  EXPECT_EQ(plan.removals[1].failure, "");
  EXPECT_EQ(plan.bytes_kept, 300u);
  EXPECT_EQ(catalog->avatars["anna"].versions.size(), 2u);
}

TEST_F(RegistryKeeping, CleansOnceAtATime) {
  limits.retention.keep_versions = 1;
  add_avatar("anna", 2, 5);
  spawn();
  auto first = self->request(aut, 1min, atom::clean_v, true);
  auto second = self->request(aut, 1min, atom::clean_v, true);
  EXPECT_EQ(read<retention_plan>(second).code, errc::avatar_busy);
  EXPECT_TRUE(read<retention_plan>(first).value);
  EXPECT_TRUE(clean().applied) << "and again afterwards";
}

TEST_F(RegistryKeeping, LeavesAnAvatarThatIsUsedWhileItCleans) {
  limits.retention.keep_versions = 1;
  limits.retention.expire_us = 1'000;
  add_avatar("anna", 1, 5);
  add_avatar("bert", 1, 5);
  spawn();
  auto cleaning = self->request(aut, 1min, atom::clean_v, true);
  // Both are in the plan; the use comes before the second is tried.
  sched.run_once();
  ++now_us;
  self->send(aut, atom::touch_v, avatar_id{"bert"});
  auto plan = *read<retention_plan>(cleaning).value;
  ASSERT_EQ(plan.removals.size(), 2u);
  EXPECT_EQ(plan.removals[1].failure, "It was used meanwhile.");
  EXPECT_TRUE(catalog->avatars.contains("bert"));
}

TEST_F(RegistryKeeping, WritesUsesDownWithTheNextLook) {
  add_avatar("anna", 1, 5);
  spawn();
  auto touched = ask<pipeline::avatar>(aut, atom::touch_v, avatar_id{"anna"});
  EXPECT_EQ(touched.value->used_us, now_us);
  EXPECT_EQ(catalog->avatars["anna"].used_us, 5);
  catalog->broken = true;
  tick();
  catalog->broken = false;
  tick();
  EXPECT_EQ(catalog->avatars["anna"].used_us, now_us);
  EXPECT_EQ((ask<pipeline::avatar>(aut, atom::touch_v, avatar_id{"dora"}).code),
            errc::avatar_not_found);
}

TEST_F(RegistryKeeping, ReleasesTheUploadOfAFailedJobWithoutOtherWork) {
  limits.keep_failed = 60s;
  spawn();
  submit("anna");
  end_job("j1", job_state::failed);
  tick();
  EXPECT_THAT(notes.released, IsEmpty());
  now_us += 61'000'000;
  tick();
  EXPECT_THAT(notes.released, ElementsAre("u-anna"));
}

TEST_F(RegistryKeeping, TellsWhichUploadsAreNeeded) {
  limits.keep_failed = 60s;
  spawn();
  submit("anna");
  end_job("j1", job_state::failed);
  submit("bert");
  submit("carl");
  sched.advance_time(11min);
  tick();
  EXPECT_THAT(world.needed_uploads, UnorderedElementsAre("u-anna", "u-bert", "u-carl"));
}

TEST_F(RegistryKeeping, ForgetsOldEventsAndSaysSo) {
  limits.keep_events_us = 1'000;
  limits.max_events = 2;
  spawn();
  submit("anna");
  end_job("j1", job_state::completed);
  ASSERT_EQ(catalog->log.size(), 3u);
  tick();
  EXPECT_EQ(catalog->pruned_before, now_us - 1'000);
  ASSERT_EQ(catalog->log.size(), 2u);
  auto page = [&](int64_t after) {
    return *ask<pipeline::event_page>(aut, atom::event_v, pipeline::event_query{"", "", after})
                .value;
  };
  EXPECT_EQ(page(0).forgotten, 1);
  EXPECT_EQ(page(0).events.size(), 2u);
  EXPECT_EQ(page(1).forgotten, 0) << "what it knows need not be told";
  EXPECT_EQ(page(3).forgotten, 0);
  EXPECT_EQ(page(-1).forgotten, 0) << "who comes for the first time misses nothing";
}

TEST_F(RegistryKeeping, SetsADamagedVersionAside) {
  add_avatar("anna", 2, 5);
  spawn();
  submit("other");
  catalog->avatars["anna"].versions[1].job_id = "j1";
  world.current_afterwards = "v000001";
  auto next = ask<pipeline::version_ref>(aut, atom::scrub_v, int64_t{100});
  EXPECT_EQ(next.value->avatar_id, "anna");
  self->send(aut, atom::scrub_v, pipeline::version_ref{"anna", "v000002"},
             std::string{"mask is missing."});
  sched.run();
  EXPECT_THAT(world.log, Contains("set aside anna v000002"));
  EXPECT_THAT(versions_of(catalog->avatars["anna"]), ElementsAre("v000001"));
  EXPECT_EQ(catalog->avatars["anna"].current_version, "v000001");
  EXPECT_EQ(catalog->log.back().actor, "scrub");
  EXPECT_THAT(catalog->log.back().reason, HasSubstr("v000002 is damaged and was set aside: mask"));
}

TEST_F(RegistryKeeping, RemembersWhatWasCompared) {
  add_avatar("anna", 1, 5);
  spawn();
  self->send(aut, atom::scrub_v, pipeline::version_ref{"anna", "v000001"}, std::string{});
  sched.run();
  EXPECT_EQ(catalog->avatars["anna"].versions[0].checked_us, now_us);
  EXPECT_EQ(ask<pipeline::version_ref>(aut, atom::scrub_v, now_us).value->version, "");
}

TEST_F(RegistryKeeping, LooksAtAVersionAgainThatCouldNotBeSetAside) {
  add_avatar("anna", 1, 5);
  world.faults["set aside anna v000001"] = errc::version_not_found;
  spawn();
  self->send(aut, atom::scrub_v, pipeline::version_ref{"anna", "v000001"}, std::string{"damage"});
  sched.run();
  EXPECT_EQ(catalog->avatars["anna"].versions.size(), 1u);
  EXPECT_EQ(catalog->avatars["anna"].versions[0].checked_us, now_us);
}
