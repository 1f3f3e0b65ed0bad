// What followers are told, other attempts, keys of requests, and versions.

#include "pipeline/avatar_tag.hpp"
#include "tests/actors/registry_fixture.hpp"

#include <gmock/gmock.h>

using namespace musetalk;
using namespace musetalk::actors;
using namespace std::chrono_literals;
using pipeline::event_page;
using pipeline::event_query;
using pipeline::job_history;
using pipeline::job_state;
using pipeline::job_view;
using pipeline::request_key;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace {

job_follower_actor::behavior_type noting(job_follower_actor::pointer,
                                         std::vector<std::string>* told) {
  return {
      [=](atom::event, const pipeline::job_event& x) {
        told->push_back(std::to_string(x.sequence) + " " + x.job_id + " " +
                        std::string{to_string(x.state)});
      },
      [=](atom::progress, const job_view& x) {
        told->push_back(x.record.job_id + " " + std::string{to_string(x.record.state)} + " at " +
                        std::to_string(static_cast<int>(x.progress.fraction * 100)) + " behind " +
                        std::to_string(x.position));
      },
  };
}

struct RegistryChanges : tests::Registry {
  ~RegistryChanges() override { end_all(); }

  job_follower_actor follow() {
    auto follower = own(sys.spawn(noting, &told));
    self->send(aut, atom::follow_v, caf::actor_cast<caf::strong_actor_ptr>(follower));
    sched.run();
    return follower;
  }

  std::vector<std::string> take() { return std::exchange(told, {}); }

  tests::answer<event_page> events(const event_query& query) {
    return ask<event_page>(aut, atom::event_v, query);
  }

  tests::answer<job_view> retry(const std::string& id, const request_key& key = {}) {
    return ask<job_view>(aut, atom::retry_v, job_id{id}, key);
  }

  tests::answer<job_view> submit_with(const std::string& avatar, const request_key& key) {
    auto x = request(avatar, "hash");
    x.key = key;
    return ask<job_view>(aut, atom::submit_v, x);
  }

  tests::answer<pipeline::avatar> activate(const version_change& x) {
    return ask<pipeline::avatar>(aut, atom::activate_v, x);
  }

  tests::answer<pipeline::avatar> remove_version(const version_change& x) {
    return ask<pipeline::avatar>(aut, atom::remove_v, x);
  }

  /// An avatar with two versions, of which the second is current.
  void two_versions(const std::string& id) {
    auto& avatar = catalog->avatars[id];
    avatar.avatar_id = id;
    for (const auto* name : {"v000001", "v000002"})
      avatar.versions.emplace_back().version = avatar.current_version = name;
  }

  std::vector<std::string> told;
};

} // namespace

// -- followers ------------------------------------------------------------------------

TEST_F(RegistryChanges, TellsFollowersOfEveryMoveAndOfProgress) {
  spawn();
  follow();
  submit("a");
  EXPECT_THAT(take(), ElementsAre("1 j1 queued", "j1 queued at 0 behind 0", "2 j1 running",
                                  "j1 running at 0 behind 0"));
  self->send(aut, atom::progress_v,
             pipeline::job_progress{"j1", pipeline::job_stage::prepare, 1, 10, .25});
  sched.run();
  EXPECT_THAT(take(), ElementsAre("j1 running at 25 behind 0"));
  end_job("j1", job_state::completed);
  EXPECT_THAT(take(), ElementsAre("3 j1 completed"));
}

TEST_F(RegistryChanges, TellsThoseThatMoveUpInTheQueue) {
  spawn();
  for (const auto* avatar : {"a", "b", "c"})
    submit(avatar);
  follow();
  cancel("j2");
  EXPECT_THAT(take(), ElementsAre("5 j2 cancelled", "j3 queued at 0 behind 0"));
}

TEST_F(RegistryChanges, ForgetsAFollowerThatEnded) {
  spawn();
  auto follower = follow();
  kill(follower);
  sched.run();
  submit("a");
  EXPECT_THAT(told, IsEmpty());
  EXPECT_EQ(look("j1").value->record.state, job_state::running);
}

TEST_F(RegistryChanges, TellsWhereThingsStandAndUpToWhichEvent) {
  spawn();
  for (const auto* avatar : {"a", "b", "c"})
    submit(avatar);
  end_job("j1", job_state::failed);
  auto page = events({}).value.value();
  EXPECT_THAT(page.events, IsEmpty());
  EXPECT_EQ(page.last, catalog->last_event());
  ASSERT_EQ(page.jobs.size(), 2u);
  EXPECT_EQ(page.jobs[0].record.job_id, "j2");
  EXPECT_EQ(page.jobs[1].record.job_id, "j3");
  EXPECT_EQ(events({"", "c", -1}).value.value().jobs.size(), 1u);
  EXPECT_EQ(events({"j1", "", -1}).value.value().jobs[0].record.state, job_state::failed);
  EXPECT_EQ(events({"no job", "", -1}).code, errc::job_not_found);
}

TEST_F(RegistryChanges, PagesThroughWhatWasMissed) {
  spawn();
  submit("a");
  submit("b");
  end_job("j1", job_state::failed);
  // queued, running, queued, failed, running
  auto first = events({"", "", 0, 2}).value.value();
  EXPECT_EQ(first.events.size(), 2u);
  EXPECT_TRUE(first.more);
  EXPECT_EQ(first.last, 2);
  EXPECT_THAT(first.jobs, IsEmpty());
  auto rest = events({"", "", 2, 200}).value.value();
  EXPECT_EQ(rest.events.size(), 3u);
  EXPECT_FALSE(rest.more);
  EXPECT_EQ(rest.last, 5);
  EXPECT_EQ(rest.jobs.size(), 1u);
  EXPECT_EQ(events({"j1", "", 1, 200}).value.value().events.size(), 2u);
  // Of another catalog: nothing is missing that could be told.
  EXPECT_THAT(events({"", "", 99, 200}).value.value().events, IsEmpty());
}

TEST_F(RegistryChanges, TellsTheHistoryOfAJob) {
  spawn();
  submit("a");
  cancel("j1");
  auto x = ask<job_history>(aut, atom::history_v, job_id{"j1"}).value;
  ASSERT_EQ(x->events.size(), 3u);
  EXPECT_EQ(x->events[0].actor, "client");
  EXPECT_EQ(x->events[1].reason, "attempt 1");
  EXPECT_EQ(x->events[2].state, job_state::cancelling);
  EXPECT_EQ(x->events[2].reason, "asked by a client");
  EXPECT_EQ(x->job.record.state, job_state::cancelling);
  EXPECT_EQ(ask<job_history>(aut, atom::history_v, job_id{"none"}).code, errc::job_not_found);
}

// -- another attempt --------------------------------------------------------------------

TEST_F(RegistryChanges, TriesAFailedJobAgain) {
  spawn();
  submit("a");
  auto outcome = job_outcome{};
  outcome.failure = {errc::face_none, "No face."};
  outcome.timings_ms = {{"validate", 12}};
  end_job("j1", job_state::failed, outcome);
  EXPECT_THAT(notes.released, IsEmpty()) << "its upload is kept";
  auto again = retry("j1").value;
  ASSERT_TRUE(again);
  EXPECT_EQ(again->record.state, job_state::queued);
  EXPECT_EQ(again->record.attempt, 2u);
  EXPECT_EQ(again->record.finished_us, 0);
  EXPECT_EQ(again->record.failure.detail, "");
  EXPECT_THAT(again->record.timings_ms, IsEmpty());
  EXPECT_THAT(started(), ElementsAre("j1", "j1"));
  end_job("j1", job_state::completed);
  EXPECT_EQ(look("j1").value->record.state, job_state::completed);
  EXPECT_EQ(catalog->job_events("j1").size(), 6u) << "its history is kept";
  EXPECT_THAT(notes.released, ElementsAre("u-a"));
}

TEST_F(RegistryChanges, TriesOnlyAgainWhatHasFailedOrWasCancelled) {
  spawn();
  submit("a");
  submit("b");
  EXPECT_EQ(retry("j1").code, errc::job_active);
  EXPECT_EQ(retry("j2").code, errc::job_active);
  end_job("j1", job_state::completed);
  EXPECT_EQ(retry("j1").code, errc::job_finished);
  EXPECT_EQ(retry("no job").code, errc::job_not_found);
}

TEST_F(RegistryChanges, SaysThatTheVideoOfAJobIsGone) {
  spawn();
  submit("a");
  cancel("j1");
  end_job("j1", job_state::cancelled);
  auto cancelled = retry("j1");
  EXPECT_EQ(cancelled.code, errc::job_source_gone);
  EXPECT_THAT(cancelled.detail, HasSubstr("cancellation"));
  submit("b");
  end_job("j2", job_state::failed);
  source_there = false;
  EXPECT_EQ(retry("j2").code, errc::job_source_gone);
  source_there = true;
  EXPECT_TRUE(retry("j2").value);
}

TEST_F(RegistryChanges, TriesACancelledJobOfAFileOnTheServerAgain) {
  spawn();
  auto x = request("a");
  x.upload_id.clear();
  x.video_path = "/videos/a.mp4";
  ask<job_view>(aut, atom::submit_v, x);
  cancel("j1");
  end_job("j1", job_state::cancelled);
  EXPECT_TRUE(retry("j1").value);
}

TEST_F(RegistryChanges, KeepsTheUploadOfAFailedJobForItsTime) {
  limits.keep_failed = 60s;
  spawn();
  submit("a");
  end_job("j1", job_state::failed);
  now_us += 59'000'000;
  submit("b");
  EXPECT_THAT(notes.released, IsEmpty());
  now_us += 2'000'000;
  auto late = retry("j1");
  EXPECT_EQ(late.code, errc::job_source_gone);
  EXPECT_THAT(late.detail, HasSubstr("60 s"));
  EXPECT_THAT(notes.released, ElementsAre("u-a"));
}

TEST_F(RegistryChanges, KeepsNoUploadWhereThatIsNotWanted) {
  limits.keep_failed = 0s;
  spawn();
  submit("a");
  end_job("j1", job_state::failed);
  EXPECT_THAT(notes.released, ElementsAre("u-a"));
}

TEST_F(RegistryChanges, KeepsNoUploadOnAFullDisk) {
  spawn();
  submit("a");
  end_job("j1", job_state::failed);
  submit("b");
  auto outcome = job_outcome{};
  outcome.failure = {errc::storage_full, "No space left."};
  end_job("j2", job_state::failed, outcome);
  EXPECT_THAT(notes.released, ElementsAre("u-a", "u-b"));
}

TEST_F(RegistryChanges, KeepsSoManyUploadsAndNoneOfARemovedAvatar) {
  limits.max_kept_uploads = 2;
  spawn();
  for (auto i = 1; i <= 3; ++i) {
    submit("a" + std::to_string(i));
    end_job("j" + std::to_string(i), job_state::failed);
  }
  EXPECT_THAT(notes.released, ElementsAre("u-a1"));
  remove("a3", false);
  EXPECT_THAT(notes.released, ElementsAre("u-a1", "u-a3"));
}

TEST_F(RegistryChanges, KnowsKeptUploadsAfterARestart) {
  now_us = 100'000'000'000;
  left_behind("old", job_state::failed, 1, 5);
  catalog->jobs["old"].finished_us = now_us - 86'400'000'000 - 1;
  left_behind("new", job_state::failed, 1, 6);
  catalog->jobs["new"].finished_us = now_us - 1;
  spawn();
  EXPECT_EQ(retry("old").code, errc::job_source_gone);
  EXPECT_TRUE(retry("new").value);
}

TEST_F(RegistryChanges, RefusesAnotherAttemptWhereItRefusesAJob) {
  limits.queue_limit = 1;
  spawn();
  submit("a");
  end_job("j1", job_state::failed);
  submit("b");
  submit("c");
  EXPECT_EQ(retry("j1").code, errc::queue_full);
  self->send(aut, atom::stop_v);
  EXPECT_EQ(retry("j1").code, errc::stopping);
}

// -- keys of requests ---------------------------------------------------------------------

TEST_F(RegistryChanges, LetsEqualRequestsOfOneKeyHaveOneEffect) {
  spawn();
  auto key = request_key{"k1", "print", "", 0};
  auto first = submit_with("a", key).value;
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->replayed);
  end_job("j1", job_state::failed);
  auto second = submit_with("a", key).value;
  ASSERT_TRUE(second);
  EXPECT_EQ(second->record.job_id, "j1");
  EXPECT_TRUE(second->replayed);
  EXPECT_EQ(catalog->jobs.size(), 1u);
  EXPECT_EQ(submit_with("a", {"k1", "another", "", 0}).code, errc::key_reused);
  // Without a key a failed video is tried anew.
  EXPECT_EQ(submit("a", "hash").value->record.job_id, "j2");
}

TEST_F(RegistryChanges, KeepsTheKeyOfARequestForWorkThatIsUnderWay) {
  spawn();
  submit("a", "hash");
  EXPECT_EQ(submit_with("a", {"k1", "print", "", 0}).value->record.job_id, "j1");
  end_job("j1", job_state::failed);
  EXPECT_EQ(submit_with("a", {"k1", "print", "", 0}).value->record.job_id, "j1");
}

TEST_F(RegistryChanges, KeepsNoKeyOfARefusedRequest) {
  limits.missing_models = {"unet.pth"};
  spawn();
  EXPECT_EQ(submit_with("a", {"k1", "print", "", 0}).code, errc::models_missing);
  EXPECT_THAT(catalog->keys, IsEmpty());
}

TEST_F(RegistryChanges, ForgetsAKeyInTime) {
  spawn();
  auto key = request_key{"k1", "print", "", 0};
  submit_with("a", key);
  end_job("j1", job_state::failed);
  now_us += pipeline::request_key_age_us + 1;
  EXPECT_EQ(submit_with("a", key).value->record.job_id, "j2");
}

TEST_F(RegistryChanges, TakesKeysForCancelAndRetry) {
  spawn();
  submit("a");
  end_job("j1", job_state::failed);
  auto once = request_key{"k1", "retry j1", "", 0};
  EXPECT_EQ(retry("j1", once).value->record.attempt, 2u);
  EXPECT_EQ(retry("j1", once).value->record.attempt, 2u);
  auto stop = request_key{"k2", "cancel j1", "", 0};
  auto cancelled = [&] {
    return ask<job_view>(aut, atom::cancel_v, job_id{"j1"}, stop);
  };
  EXPECT_FALSE(cancelled().value->replayed);
  end_job("j1", job_state::cancelled);
  EXPECT_EQ(cancelled().value->record.state, job_state::cancelled);
  EXPECT_EQ(retry("j1", {"k2", "retry j1", "", 0}).code, errc::key_reused);
}

// -- versions -------------------------------------------------------------------------------

TEST_F(RegistryChanges, MakesAnotherVersionCurrent) {
  spawn();
  two_versions("a");
  auto x = activate({"a", "v000001", "", {}}).value;
  ASSERT_TRUE(x);
  EXPECT_EQ(x->current_version, "v000001");
  EXPECT_THAT(world.log, Contains("activate a v000001").Times(1));
  EXPECT_EQ(activate({"a", "v000007", "", {}}).code, errc::version_not_found);
  EXPECT_EQ(activate({"b", "v000001", "", {}}).code, errc::avatar_not_found);
}

TEST_F(RegistryChanges, LeavesTheCatalogWhenTheFilesCannotBeSwitched) {
  spawn();
  two_versions("a");
  world.faults["activate a v000001"] = errc::storage_failed;
  auto key = request_key{"k1", "print", "", 0};
  EXPECT_EQ(activate({"a", "v000001", "", key}).code, errc::storage_failed);
  EXPECT_EQ(catalog->avatars["a"].current_version, "v000002");
  world.faults.clear();
  EXPECT_TRUE(activate({"a", "v000001", "", key}).value) << "a failed request frees its key";
}

TEST_F(RegistryChanges, RemovesAVersionThatIsNotCurrent) {
  spawn();
  two_versions("a");
  EXPECT_EQ(remove_version({"a", "v000002", "", {}}).code, errc::version_current);
  auto x = remove_version({"a", "v000001", "", {}}).value;
  ASSERT_TRUE(x);
  EXPECT_EQ(x->versions.size(), 1u);
  EXPECT_THAT(world.log, Contains("remove a v000001").Times(1));
  EXPECT_EQ(remove_version({"a", "v000001", "", {}}).code, errc::version_not_found);
}

TEST_F(RegistryChanges, ChangesAnAvatarOnlyInTheStateThatIsMeant) {
  spawn();
  two_versions("a");
  auto before = avatar_tag(catalog->avatars["a"]);
  EXPECT_TRUE(activate({"a", "v000001", before, {}}).value);
  auto late = activate({"a", "v000002", before, {}});
  EXPECT_EQ(late.code, errc::precondition_failed);
  EXPECT_THAT(late.detail, HasSubstr(avatar_tag(catalog->avatars["a"])));
  EXPECT_EQ(remove_version({"a", "v000002", before, {}}).code, errc::precondition_failed);
  EXPECT_EQ(ask<avatar_id>(aut, atom::remove_v, avatar_id{"a"}, false, before).code,
            errc::precondition_failed);
  EXPECT_TRUE(ask<avatar_id>(aut, atom::remove_v, avatar_id{"a"}, false, std::string{"*"}).value);
}

TEST_F(RegistryChanges, AnswersASecondActivationOfOneKeyWithoutAnEffect) {
  spawn();
  two_versions("a");
  auto key = request_key{"k1", "print", "", 0};
  auto first =
      ask_later<pipeline::avatar>(aut, atom::activate_v, version_change{"a", "v000001", "", key});
  EXPECT_TRUE(first->value);
  EXPECT_EQ(activate({"a", "v000001", "", key}).value->current_version, "v000001");
  EXPECT_THAT(world.log, Contains("activate a v000001").Times(1));
}
