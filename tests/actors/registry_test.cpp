#include "tests/actors/registry_fixture.hpp"

#include <gmock/gmock.h>

using namespace musetalk;
using namespace musetalk::actors;
using namespace std::chrono_literals;
using pipeline::avatar_version;
using pipeline::job;
using pipeline::job_state;
using pipeline::job_view;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using tests::Registry;

// -- the queue --------------------------------------------------------------------------

TEST_F(Registry, StartsJobsInTheOrderOfTheirCreation) {
  spawn();
  for (const auto* avatar : {"a", "b", "c"})
    ASSERT_TRUE(submit(avatar).value);
  EXPECT_THAT(started(), ElementsAre("j1"));
  end_job("j1", job_state::completed);
  end_job("j2", job_state::failed);
  EXPECT_THAT(started(), ElementsAre("j1", "j2", "j3"));
}

TEST_F(Registry, RunsAsManyJobsAsThereArePlacesEachInItsOwn) {
  limits.running_jobs = 2;
  spawn();
  for (const auto* avatar : {"a", "b", "c"})
    submit(avatar);
  ASSERT_THAT(started(), ElementsAre("j1", "j2"));
  EXPECT_EQ(notes.runs[0].place, 0u);
  EXPECT_EQ(notes.runs[1].place, 1u);
  end_job("j1", job_state::completed);
  ASSERT_THAT(started(), ElementsAre("j1", "j2", "j3"));
  EXPECT_EQ(notes.runs[2].place, 0u);
}

TEST_F(Registry, RunsTheJobsOfOneAvatarOneAfterTheOther) {
  limits.running_jobs = 2;
  spawn();
  submit("a");
  submit("a");
  submit("b");
  EXPECT_THAT(started(), ElementsAre("j1", "j3"));
  end_job("j3", job_state::completed);
  EXPECT_THAT(started(), ElementsAre("j1", "j3"));
  end_job("j1", job_state::completed);
  EXPECT_THAT(started(), ElementsAre("j1", "j3", "j2"));
}

TEST_F(Registry, TellsThePositionInTheQueue) {
  spawn();
  for (const auto* avatar : {"a", "b", "c"})
    submit(avatar);
  EXPECT_EQ(look("j2").value->position, 0);
  EXPECT_EQ(look("j3").value->position, 1);
}

TEST_F(Registry, RefusesAJobBeyondTheLimitOfTheQueue) {
  limits.queue_limit = 2;
  spawn();
  for (const auto* avatar : {"a", "b", "c"})
    EXPECT_TRUE(submit(avatar).value);
  auto refused = submit("d");
  EXPECT_EQ(refused.code, errc::queue_full);
  EXPECT_THAT(refused.detail, HasSubstr("limit is 2"));
  EXPECT_FALSE(catalog->avatars.contains("d"));
}

TEST_F(Registry, NamesTheWeightFilesThatAreMissing) {
  limits.missing_models = {"sd-vae/config.json", "sd-vae/model.bin"};
  spawn();
  auto refused = submit("a");
  EXPECT_EQ(refused.code, errc::models_missing);
  EXPECT_THAT(refused.detail, HasSubstr("sd-vae/config.json, sd-vae/model.bin"));
}

TEST_F(Registry, GivesTheJobThatDoesTheSameWorkAlready) {
  spawn();
  submit("a", "hash");
  EXPECT_EQ(submit("a", "hash").value->record.job_id, "j1");
  EXPECT_EQ(submit("a", "other").value->record.job_id, "j2");
  EXPECT_EQ(submit("a", "other").value->record.job_id, "j2");
  EXPECT_EQ(submit("b", "hash").value->record.job_id, "j3");
}

TEST_F(Registry, GivesTheJobThatMadeTheCurrentVersionOfTheSameVideo) {
  spawn();
  submit("a", "hash");
  end_job("j1", job_state::completed);
  auto again = submit("a", "hash");
  EXPECT_EQ(again.value->record.job_id, "j1");
  EXPECT_EQ(again.value->record.state, job_state::completed);
  EXPECT_EQ(submit("a", "other").value->record.job_id, "j2");
}

TEST_F(Registry, TriesAFailedVideoAnew) {
  spawn();
  submit("a", "hash");
  end_job("j1", job_state::failed);
  EXPECT_EQ(submit("a", "hash").value->record.job_id, "j2");
}

TEST_F(Registry, TakesNoJobWhileItStops) {
  spawn();
  submit("a");
  submit("b");
  self->send(aut, atom::stop_v);
  EXPECT_EQ(submit("c").code, errc::stopping);
  end_job("j1", job_state::completed);
  EXPECT_THAT(started(), ElementsAre("j1"));
}

// -- what is durable ------------------------------------------------------------------------

TEST_F(Registry, MakesEveryStateDurableBeforeAnyoneIsTold) {
  spawn();
  auto answer = submit("a");
  ASSERT_TRUE(answer.value);
  // The runner was made when the catalog said running already.
  EXPECT_EQ(notes.runs.at(0).stored, job_state::running);
  auto waiter = await_end("j1");
  catalog->broken = true;
  end_job("j1", job_state::completed);
  EXPECT_FALSE(waiter->told());
  EXPECT_EQ(look("j1").value->record.state, job_state::running);
  catalog->broken = false;
  sched.advance_time(limits.catalog_retry);
  sched.run();
  ASSERT_TRUE(waiter->value);
  EXPECT_EQ(waiter->value->record.state, job_state::completed);
  EXPECT_EQ(catalog->jobs["j1"].version, "v000001");
}

TEST_F(Registry, AnswersTheErrorWhenTheCatalogRefusesAJob) {
  spawn();
  catalog->broken = true;
  EXPECT_EQ(submit("a").code, errc::catalog_failed);
  catalog->broken = false;
  EXPECT_EQ(submit("a").value->record.job_id, "j2");
  EXPECT_THAT(started(), ElementsAre("j2"));
}

TEST_F(Registry, StartsAJobWhenTheCatalogIsBackInOrder) {
  spawn();
  submit("a");
  submit("b");
  catalog->broken = true;
  self->send(aut, atom::outcome_v, job_outcome{});
  end_job("j1", job_state::failed);
  EXPECT_THAT(started(), ElementsAre("j1"));
  catalog->broken = false;
  sched.advance_time(limits.catalog_retry);
  sched.run();
  EXPECT_EQ(catalog->jobs["j1"].state, job_state::failed);
  EXPECT_THAT(started(), ElementsAre("j1", "j2"));
}

TEST_F(Registry, EndsTheServiceWhenTheCatalogStaysOutOfOrder) {
  limits.max_catalog_failures = 3;
  spawn();
  submit("a");
  catalog->broken = true;
  end_job("j1", job_state::completed);
  for (auto i = 0; i < 2; ++i) {
    EXPECT_THAT(fatals, IsEmpty());
    sched.advance_time(limits.catalog_retry);
    sched.run();
  }
  EXPECT_THAT(fatals, ElementsAre(HasSubstr("3 writes")));
  EXPECT_EQ(look("j1").code, errc::worker_died);
}

TEST_F(Registry, KeepsTheOutcomeAsTheJobsRecord) {
  spawn();
  submit("a");
  auto outcome = job_outcome{};
  outcome.failure = {errc::face_none, "No face in 7 of 7 samples."};
  outcome.timings_ms = {{"validate", 12}};
  end_job("j1", job_state::failed, outcome);
  auto record = look("j1").value->record;
  EXPECT_EQ(record.state, job_state::failed);
  EXPECT_EQ(record.failure.code, errc::face_none);
  EXPECT_EQ(record.failure.detail, "No face in 7 of 7 samples.");
  EXPECT_EQ(record.timings_ms.at("validate"), 12);
  EXPECT_GT(record.finished_us, 0);
}

// -- restart --------------------------------------------------------------------------------

TEST_F(Registry, TakesUpWhatARestartInterrupted) {
  limits.running_jobs = 0; // at least one
  limits.max_attempts = 3;
  left_behind("queued", job_state::queued, 1, 10);
  left_behind("running", job_state::running, 2, 5);
  left_behind("worn", job_state::running, 3, 6);
  left_behind("cancelling", job_state::cancelling, 1, 7);
  left_behind("published", job_state::running, 1, 8);
  auto version = avatar_version{};
  version.version = "v000004";
  version.job_id = "published";
  catalog->avatars["avatar-published"].versions.push_back(version);
  spawn();
  EXPECT_EQ(catalog->jobs["running"].state, job_state::running);
  EXPECT_EQ(catalog->jobs["running"].attempt, 3u);
  EXPECT_EQ(catalog->jobs["queued"].state, job_state::queued);
  EXPECT_EQ(catalog->jobs["queued"].attempt, 1u);
  EXPECT_EQ(catalog->jobs["worn"].state, job_state::failed);
  EXPECT_EQ(catalog->jobs["worn"].failure.code, errc::attempts_exhausted);
  EXPECT_EQ(catalog->jobs["cancelling"].state, job_state::cancelled);
  EXPECT_EQ(catalog->jobs["published"].state, job_state::completed);
  EXPECT_EQ(catalog->jobs["published"].version, "v000004");
  // The older one first, though it was interrupted.
  EXPECT_THAT(started(), ElementsAre("running"));
  EXPECT_THAT(notes.released, UnorderedElementsAre("u-avatar-cancelling", "u-avatar-published"));
}

TEST_F(Registry, EndsTheServiceWhenItCannotTakeUpWhatWasInterrupted) {
  left_behind("running", job_state::running, 1, 5);
  catalog->broken = true;
  spawn();
  EXPECT_THAT(fatals, ElementsAre(HasSubstr("catalog cannot be read")));
}

TEST_F(Registry, OrdersJobsThatWereMadeInTheSameMicrosecond) {
  spawn();
  for (auto i = 0; i < 4; ++i)
    submit("a" + std::to_string(i));
  EXPECT_LT(catalog->jobs["j1"].created_us, catalog->jobs["j2"].created_us);
  EXPECT_LT(catalog->jobs["j3"].created_us, catalog->jobs["j4"].created_us);
}

// -- runners ----------------------------------------------------------------------------------

TEST_F(Registry, FailsTheJobOfARunnerThatDiedAndDiscardsItsStaging) {
  spawn();
  submit("a");
  world.staging.insert("j1");
  kill(notes.runs.at(0).runner);
  sched.run();
  EXPECT_EQ(catalog->jobs["j1"].state, job_state::failed);
  EXPECT_EQ(catalog->jobs["j1"].failure.code, errc::worker_died);
  EXPECT_THAT(world.staging, IsEmpty());
  submit("b");
  EXPECT_THAT(started(), ElementsAre("j1", "j2"));
}

TEST_F(Registry, FailsTheJobOfADeadRunnerAlsoWithoutAStorageWriter) {
  spawn();
  submit("a");
  kill(workers->get().storage);
  kill(notes.runs.at(0).runner);
  sched.run();
  EXPECT_EQ(catalog->jobs["j1"].state, job_state::failed);
}

TEST_F(Registry, KeepsProgressInMemoryAndNeverLetsItFall) {
  spawn();
  submit("a");
  auto tell = [&](double fraction) {
    self->send(aut, atom::progress_v,
               pipeline::job_progress{"j1", pipeline::job_stage::prepare, 1, 10, fraction});
    return look("j1").value->progress.fraction;
  };
  EXPECT_DOUBLE_EQ(tell(0.5), 0.5);
  EXPECT_DOUBLE_EQ(tell(0.3), 0.5);
  EXPECT_DOUBLE_EQ(tell(7.), 1.);
  EXPECT_EQ(catalog->job_events("j1").size(), 2u);
}

TEST_F(Registry, EstimatesTheRestFromTheProgressSoFar) {
  spawn();
  submit("a");
  auto tell = [&](double fraction) {
    self->send(aut, atom::progress_v,
               pipeline::job_progress{"j1", pipeline::job_stage::prepare, 1, 10, fraction});
    return look("j1").value->eta_s;
  };
  EXPECT_LT(tell(0.05), 0.);
  sched.advance_time(10s);
  EXPECT_DOUBLE_EQ(tell(0.25), 10. / 0.2 * 0.75);
}

TEST_F(Registry, ReleasesTheUploadWhenItsJobHasEnded) {
  spawn();
  submit("a");
  EXPECT_THAT(notes.released, IsEmpty());
  end_job("j1", job_state::completed);
  EXPECT_THAT(notes.released, ElementsAre("u-a"));
}

// -- waiting ------------------------------------------------------------------------------------

TEST_F(Registry, TellsEveryoneWhoWaitsForTheEndOfAJob) {
  spawn();
  submit("a");
  auto first = await_end("j1");
  auto second = await_end("j1");
  EXPECT_FALSE(first->told());
  end_job("j1", job_state::completed);
  EXPECT_EQ(first->value->record.state, job_state::completed);
  EXPECT_EQ(second->value->record.version, "v000001");
  EXPECT_EQ(await_end("j1")->value->record.state, job_state::completed);
  EXPECT_EQ(await_end("no job")->code, errc::job_not_found);
}

TEST_F(Registry, BoundsThoseWhoWaitAndForgetsThemInTime) {
  limits.max_waiters = 2;
  limits.max_wait = 60s;
  spawn();
  submit("a");
  await_end("j1");
  await_end("j1");
  EXPECT_EQ(await_end("j1")->code, errc::queue_full);
  sched.advance_time(60s);
  EXPECT_FALSE(await_end("j1")->told());
}

// -- cancellation ---------------------------------------------------------------------------------

TEST_F(Registry, CancelsAQueuedJobAtOnce) {
  spawn();
  submit("a");
  submit("b");
  auto waiter = await_end("j2");
  EXPECT_EQ(cancel("j2").value->record.state, job_state::cancelled);
  EXPECT_EQ(catalog->jobs["j2"].state, job_state::cancelled);
  EXPECT_EQ(waiter->value->record.state, job_state::cancelled);
  EXPECT_THAT(notes.released, ElementsAre("u-b"));
  end_job("j1", job_state::completed);
  EXPECT_THAT(started(), ElementsAre("j1"));
}

TEST_F(Registry, CancelsARunningJobWhenItsRunnerHasLetGo) {
  spawn();
  submit("a");
  EXPECT_EQ(cancel("j1").value->record.state, job_state::cancelling);
  EXPECT_EQ(cancel("j1").value->record.state, job_state::cancelling);
  EXPECT_THAT(notes.cancelled, ElementsAre("j1"));
  end_job("j1", job_state::cancelled);
  EXPECT_EQ(look("j1").value->record.state, job_state::cancelled);
  EXPECT_EQ(cancel("j1").code, errc::job_finished);
  EXPECT_EQ(cancel("no job").code, errc::job_not_found);
}

TEST_F(Registry, AcceptsThatAJobWasPublishedBeforeItHeardOfItsCancellation) {
  spawn();
  submit("a");
  cancel("j1");
  end_job("j1", job_state::completed);
  EXPECT_EQ(look("j1").value->record.state, job_state::completed);
}

TEST_F(Registry, CancelsTheCancellingJobOfARunnerThatDied) {
  spawn();
  submit("a");
  cancel("j1");
  kill(notes.runs.at(0).runner);
  sched.run();
  EXPECT_EQ(look("j1").value->record.state, job_state::cancelled);
}

// -- removal
// ----------------------------------------------------------------------------------------

TEST_F(Registry, RemovesFilesAndRowsOfAnAvatar) {
  spawn();
  submit("a");
  end_job("j1", job_state::completed);
  world.published["a"];
  EXPECT_EQ(remove("a", false).value->value, "a");
  EXPECT_THAT(catalog->avatars, IsEmpty());
  EXPECT_THAT(world.published, IsEmpty());
  EXPECT_EQ(remove("a", false).code, errc::avatar_not_found);
  EXPECT_EQ(look("j1").value->record.state, job_state::completed);
}

TEST_F(Registry, RefusesToRemoveAnAvatarWithAJobUnlessForced) {
  spawn();
  submit("a");
  submit("a");
  EXPECT_EQ(remove("a", false).code, errc::avatar_busy);
  auto removal = ask_later<avatar_id>(aut, atom::remove_v, avatar_id{"a"}, true, std::string{});
  EXPECT_FALSE(removal->told());
  EXPECT_EQ(catalog->jobs["j2"].state, job_state::cancelled);
  EXPECT_THAT(notes.cancelled, ElementsAre("j1"));
  // Nothing may start for it in between.
  EXPECT_EQ(submit("a").code, errc::avatar_busy);
  end_job("j1", job_state::cancelled);
  EXPECT_EQ(removal->value->value, "a");
  EXPECT_THAT(catalog->avatars, IsEmpty());
  EXPECT_TRUE(submit("a").value);
}

TEST_F(Registry, AnswersEveryoneWhoRemovesTheSameAvatar) {
  spawn();
  submit("a");
  auto first = ask_later<avatar_id>(aut, atom::remove_v, avatar_id{"a"}, true, std::string{});
  auto second = ask_later<avatar_id>(aut, atom::remove_v, avatar_id{"a"}, true, std::string{});
  end_job("j1", job_state::cancelled);
  EXPECT_TRUE(first->value);
  EXPECT_TRUE(second->value);
}

TEST_F(Registry, KeepsTheAvatarWhenItsFilesCannotBeRemoved) {
  spawn();
  submit("a");
  end_job("j1", job_state::completed);
  world.faults["remove"] = errc::storage_failed;
  EXPECT_EQ(remove("a", false).code, errc::storage_failed);
  EXPECT_TRUE(catalog->avatars.contains("a"));
  EXPECT_TRUE(submit("a").value);
}

// -- status and end
// -----------------------------------------------------------------------------------

TEST_F(Registry, TellsTheStateOfQueueAndDevice) {
  spawn();
  for (const auto* avatar : {"a", "b", "c", "d"})
    submit(avatar);
  end_job("j1", job_state::completed);
  end_job("j2", job_state::failed);
  auto device = device_status{};
  device.ready = true;
  self->send(aut, atom::status_v, device);
  auto status = ask<queue_status>(aut, atom::status_v).value;
  EXPECT_EQ(status->queued, 1u);
  EXPECT_EQ(status->running, 1u);
  EXPECT_EQ(status->limit, limits.queue_limit);
  EXPECT_EQ(status->completed, 1u);
  EXPECT_EQ(status->failed, 1u);
  EXPECT_TRUE(status->device.ready);
}

TEST_F(Registry, EndsAfterItsRunnersAndLeavesTheirJobsForTheNextStart) {
  spawn();
  submit("a");
  submit("b");
  auto waiter = await_end("j1");
  caf::anon_send_exit(aut, caf::exit_reason::user_shutdown);
  sched.run();
  EXPECT_EQ(waiter->code, errc::stopping);
  EXPECT_EQ(catalog->jobs["j1"].state, job_state::running);
  EXPECT_EQ(catalog->jobs["j2"].state, job_state::queued);
  // Both are gone: what ends waits for what it started.
  EXPECT_TRUE(ask_later<queue_status>(aut, atom::status_v)->code);
  EXPECT_TRUE(caf::actor_cast<caf::abstract_actor*>(notes.runs.at(0).runner)
                  ->getf(caf::abstract_actor::is_terminated_flag));
}
