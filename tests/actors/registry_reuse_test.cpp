#include "tests/actors/registry_fixture.hpp"

#include <gmock/gmock.h>

using namespace musetalk;
using namespace musetalk::actors;
using namespace std::chrono_literals;
using pipeline::avatar_version;
using pipeline::job_priority;
using pipeline::job_request;
using pipeline::job_state;
using pipeline::job_view;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

// Work that is done once, and who goes first.

class RegistryReuse : public tests::Registry {
protected:
  tests::answer<job_view> submit_as(const std::string& avatar, const std::string& sha256,
                                    const std::function<void(job_request&)>& change) {
    auto x = request(avatar, sha256);
    change(x);
    return ask<job_view>(aut, atom::submit_v, x);
  }

  job_state state_of(const std::string& id) { return look(id).value->record.state; }
};

TEST_F(RegistryReuse, LinksTheVersionOfAnotherAvatarsSameWork) {
  spawn();
  submit("a", "hash");
  end_job("j1", job_state::completed);
  auto x = submit("b", "hash").value;
  EXPECT_EQ(x->record.job_id, "j2");
  EXPECT_THAT(started(), ElementsAre("j1")) << "no runner";
  EXPECT_EQ(state_of("j2"), job_state::completed);
  EXPECT_THAT(world.log, Contains("link a v000001 to b"));
  EXPECT_EQ(catalog->avatars["b"].current_version, "v000001");
  EXPECT_TRUE(look("j2").value->record.timings_ms.contains("link"));
  EXPECT_THAT(notes.released, Contains("u-bhash")) << "nobody needs its upload";
}

TEST_F(RegistryReuse, LinksAtOnceThoughAllPlacesAreTaken) {
  spawn();
  submit("a", "hash");
  end_job("j1", job_state::completed);
  submit("long", "other");
  submit("b", "hash");
  EXPECT_THAT(started(), ElementsAre("j1", "j2"));
  EXPECT_EQ(state_of("j3"), job_state::completed);
  EXPECT_EQ(state_of("j2"), job_state::running);
}

TEST_F(RegistryReuse, PreparesOnceWhatManyAvatarsWantAtOnce) {
  limits.running_jobs = 4;
  limits.queue_limit = 2'000;
  spawn();
  for (auto i = 0; i < 1'000; ++i)
    ASSERT_TRUE(submit("avatar" + std::to_string(i), "hash").value);
  EXPECT_THAT(started(), ElementsAre("j1")) << "the others wait for it, in spite of free places";
  end_job("j1", job_state::completed);
  EXPECT_THAT(started(), ElementsAre("j1"));
  auto completed = 0;
  for (const auto& [id, x] : catalog->jobs)
    completed += x.state == job_state::completed ? 1 : 0;
  EXPECT_EQ(completed, 1'000);
}

TEST_F(RegistryReuse, AnswersTheSameJobToManyEqualRequests) {
  spawn();
  for (auto i = 0; i < 1'000; ++i) {
    auto x = submit("a", "hash").value;
    ASSERT_EQ(x->record.job_id, "j1");
    EXPECT_EQ(x->reused, i > 0);
  }
  EXPECT_EQ(catalog->jobs.size(), 1u);
  end_job("j1", job_state::completed);
  EXPECT_EQ(submit("a", "hash").value->record.job_id, "j1");
}

TEST_F(RegistryReuse, LetsTheNextOfThemTryWhereTheFirstFailed) {
  spawn();
  submit("a", "hash");
  submit("b", "hash");
  end_job("j1", job_state::failed);
  EXPECT_THAT(started(), ElementsAre("j1", "j2"));
}

TEST_F(RegistryReuse, PreparesAnewWhereThatIsAskedFor) {
  limits.running_jobs = 2;
  spawn();
  auto forced = [](job_request& x) {
    x.force = true;
  };
  submit("a", "hash");
  submit_as("b", "hash", forced);
  EXPECT_THAT(started(), ElementsAre("j1", "j2"));
  end_job("j1", job_state::completed);
  end_job("j2", job_state::completed);
  EXPECT_EQ(submit_as("a", "hash", forced).value->record.job_id, "j3");
  EXPECT_THAT(started(), ElementsAre("j1", "j2", "j3"));
}

TEST_F(RegistryReuse, LinksNothingOfOtherOptions) {
  spawn();
  submit("a", "hash");
  end_job("j1", job_state::completed);
  submit_as("b", "hash", [](job_request& x) { x.apply_blur = true; });
  EXPECT_THAT(started(), ElementsAre("j1", "j2"));
  // As an older program left it: nobody knows what it was made with.
  catalog->avatars["a"].versions[0].options_key.clear();
  submit("c", "hash");
  end_job("j2", job_state::failed);
  EXPECT_THAT(started(), ElementsAre("j1", "j2", "j3"));
}

TEST_F(RegistryReuse, LinksNothingOfOtherWeights) {
  limits.work.models = "other";
  spawn();
  auto version = avatar_version{};
  version.version = "v000001";
  version.video_sha256 = "hash";
  version.options_key = pipeline::options_key({}, false);
  catalog->avatars["a"].versions.push_back(version);
  submit("b", "hash");
  EXPECT_THAT(started(), ElementsAre("j1"));
}

TEST_F(RegistryReuse, PreparesWhatCannotBeLinkedAnyMore) {
  spawn();
  submit("a", "hash");
  end_job("j1", job_state::completed);
  world.faults["link a v000001 to b"] = errc::version_not_found;
  submit("b", "hash");
  EXPECT_THAT(started(), ElementsAre("j1", "j2"));
  EXPECT_EQ(state_of("j2"), job_state::running);
}

TEST_F(RegistryReuse, FailsTheJobWhereTheDiskDoes) {
  spawn();
  submit("a", "hash");
  end_job("j1", job_state::completed);
  world.faults["link a v000001 to b"] = errc::storage_full;
  submit("b", "hash");
  EXPECT_EQ(state_of("j2"), job_state::failed);
  EXPECT_EQ(look("j2").value->record.failure.code, errc::storage_full);
}

TEST_F(RegistryReuse, GoesBackToAnOlderVideoByALink) {
  spawn();
  submit("a", "one");
  end_job("j1", job_state::completed);
  submit("a", "two");
  end_job("j2", job_state::completed);
  catalog->avatars["a"].current_version = "v000002";
  catalog->avatars["a"].versions[1].version = "v000002";
  EXPECT_EQ(submit("a", "one").value->record.job_id, "j3");
  EXPECT_EQ(state_of("j3"), job_state::completed);
  EXPECT_THAT(started(), ElementsAre("j1", "j2"));
}

TEST_F(RegistryReuse, KeepsTheOrderOfAnAvatarAlsoForLinks) {
  spawn();
  submit("a", "hash");
  end_job("j1", job_state::completed);
  submit("b", "other");
  submit("b", "hash");
  EXPECT_EQ(state_of("j3"), job_state::queued);
  end_job("j2", job_state::completed);
  EXPECT_EQ(state_of("j3"), job_state::completed);
}

TEST_F(RegistryReuse, SaysBeforehandWhatWouldBecomeOfARequest) {
  spawn();
  submit("a", "hash");
  auto examine = [&](const std::string& avatar, const std::string& sha256) {
    return ask<job_view>(aut, atom::examine_v, request(avatar, sha256)).value;
  };
  submit("b", "other");
  EXPECT_EQ(examine("c", "new")->position, 1);
  EXPECT_FALSE(examine("c", "new")->reused);
  EXPECT_TRUE(examine("a", "hash")->reused);
  EXPECT_EQ(catalog->jobs.size(), 2u) << "no effect";
  EXPECT_EQ(look("j2").value->position, 0);
}

// -- priorities ---------------------------------------------------------------------------

TEST_F(RegistryReuse, StartsUrgentJobsFirst) {
  spawn();
  submit("running");
  submit("a");
  submit_as("b", "", [](job_request& x) { x.priority = job_priority::low; });
  submit_as("c", "", [](job_request& x) { x.priority = job_priority::high; });
  EXPECT_EQ(look("j4").value->position, 0);
  EXPECT_EQ(look("j2").value->position, 1);
  EXPECT_EQ(look("j3").value->position, 2);
  for (const auto* id : {"j1", "j4", "j2"})
    end_job(id, job_state::failed);
  EXPECT_THAT(started(), ElementsAre("j1", "j4", "j2", "j3"));
}

TEST_F(RegistryReuse, KnowsPrioritiesAfterARestart) {
  left_behind("old", job_state::queued, 1, 10);
  left_behind("urgent", job_state::queued, 1, 20);
  catalog->jobs["urgent"].request.priority = job_priority::high;
  spawn();
  EXPECT_THAT(started(), ElementsAre("urgent"));
}

// -- how long it takes ------------------------------------------------------------------------

TEST_F(RegistryReuse, EstimatesFromThePastOfThisMachine) {
  for (auto i = 0; i < 3; ++i) {
    auto id = "done" + std::to_string(i);
    left_behind(id, job_state::completed, 1, 10 + i);
    auto& x = catalog->jobs[id];
    x.engine = limits.engine;
    x.weights = limits.weights;
    x.request.video_frames = 100;
    x.started_us = 1'000'000;
    x.finished_us = 11'000'000;
  }
  spawn();
  auto frames = [](int64_t count) {
    return [=](job_request& x) {
      x.video_frames = count;
    };
  };
  submit_as("a", "", frames(100));
  auto x = submit_as("b", "", frames(200)).value;
  EXPECT_DOUBLE_EQ(x->eta_s, 30.);
  sched.advance_time(4s);
  EXPECT_DOUBLE_EQ(look("j1").value->eta_s, 6.);
  EXPECT_DOUBLE_EQ(look("j2").value->eta_s, 26.);
  auto page =
      ask<pipeline::job_page>(aut, atom::list_v, pipeline::job_filter{}, pipeline::page_request{});
  EXPECT_DOUBLE_EQ(page.value->jobs.at(0).eta_s, 26.) << "in lists too";
}

TEST_F(RegistryReuse, AccountsForAllTimeOfAJob) {
  spawn();
  submit("a");
  now_us += 1'000'000;
  submit("b");
  now_us += 2'000'000;
  end_job("j1", job_state::failed);
  now_us += 7'000'000;
  auto outcome = job_outcome{};
  outcome.timings_ms = {{"validate", 1'000}, {"prepare", 5'500}, {"prepare.write", 5'000}};
  end_job("j2", job_state::completed, outcome);
  auto timings = look("j2").value->record.timings_ms;
  EXPECT_EQ(timings["queued"], 2'000);
  EXPECT_EQ(timings["other"], 500);
  submit("c");
  ++now_us; // no two jobs are of the same microsecond
  submit("d");
  now_us += 3'000'000;
  EXPECT_EQ(cancel("j4").value->record.timings_ms.at("queued"), 3'000);
}
