#include "actors/speech_runner.hpp"

#include "actors/gpu_scheduler.hpp"
#include "actors/preprocessor.hpp"
#include "actors/storage_writer.hpp"
#include "tests/actors/deterministic_system.hpp"
#include "tests/actors/fake_registry.hpp"
#include "tests/actors/fake_speech.hpp"

#include <gmock/gmock.h>

using namespace musetalk;
using namespace musetalk::actors;
using namespace std::chrono_literals;
using pipeline::job_stage;
using pipeline::job_state;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

namespace {

/// One job that speaks, with real workers over a fake pipeline. Nothing moves before `run`.
struct speech_stage : tests::deterministic_system {
  tests::fake_world world;
  tests::registry_notes notes;
  std::vector<pipeline::film_plan> films;
  speech_runner_config limits;
  pipeline::job job;
  speech_runner_parts parts;
  musetalk_runner_actor runner;

  speech_stage() {
    job.job_id = "j1";
    job.version = "v000002";
    job.weights = "synthetic";
    job.request.kind = pipeline::job_kind::speak;
    job.request.avatar_id = "anna";
    job.request.upload_id = "u1";
    job.request.video_name = "hello.wav";
    job.request.speech.crf = 20;
    limits.layout.root = "/avatars";
    limits.batch_frames = 2;
    auto speech = tests::fake_speech(world, &films);
    parts.registry = own(sys.spawn(tests::fake_registry, &notes));
    parts.resolver = own(sys.spawn(preprocessor, tests::fake_preprocessing(world)));
    parts.reader =
        own(sys.spawn(speech_reader, speech.open_speech,
                      [](const job_id&) -> pipeline::sound_analysis_ptr { return nullptr; }));
    parts.maker = own(sys.spawn(film_maker, speech.open_film));
    parts.storage = own(sys.spawn(storage_writer, std::shared_ptr<pipeline::avatar_store>{
                                                      std::make_shared<tests::fake_store>(world)}));
    parts.gpu = own(sys.spawn(
        gpu_scheduler, gpu_scheduler_config{},
        gpu_scheduler_parts{[this] { return std::make_unique<tests::fake_networks>(world); },
                            [](const device_status&) {},
                            [](const std::string&) {
                            }}));
    parts.now_us = [] {
      return pipeline::timestamp_us{77};
    };
    sched.run();
  }

  ~speech_stage() { end_all(); }

  void start() {
    runner = own(sys.spawn(speech_runner, limits, parts, job));
    self->send(runner, atom::start_v);
  }

  void run() {
    start();
    sched.run();
  }

  /// The only outcome; the runner told exactly one.
  const job_outcome& outcome() {
    EXPECT_EQ(notes.outcomes.size(), 1u);
    static const auto none = job_outcome{};
    return notes.outcomes.empty() ? none : notes.outcomes.front();
  }

  /// Nothing of the job may be left anywhere: its workers have ended, and staging is gone.
  void expect_clean() {
    EXPECT_THAT(world.staging, IsEmpty());
    EXPECT_THAT(world.open_clips, IsEmpty());
  }
};

} // namespace

TEST(SpeechRunner, ConductsTheStagesInOrder) {
  auto stage = speech_stage{};
  stage.world.frames = 4;
  stage.limits.credit_batches = 1;
  stage.run();
  EXPECT_EQ(stage.outcome().state, job_state::completed);
  EXPECT_THAT(stage.world.log,
              ElementsAre("open speech", "begin film", "open film", "pull", "generate", "film",
                          "pull", "generate", "film", "finish", "publish film"));
  EXPECT_THAT(stage.world.written["film"], ElementsAre(0, 1, 2, 3));
  stage.expect_clean();
}

TEST(SpeechRunner, TellsTheVideoThatItMade) {
  auto stage = speech_stage{};
  stage.world.frames = 50;
  stage.run();
  const auto& video = stage.outcome().video;
  EXPECT_EQ(video.video_id, "j1");
  EXPECT_EQ(video.avatar_id, "anna");
  EXPECT_EQ(video.version, "v000002");
  EXPECT_EQ(video.created_us, 77);
  EXPECT_EQ(video.frames, 50);
  EXPECT_DOUBLE_EQ(video.duration_s, 2.);
  EXPECT_EQ(video.width, 64) << "4:2:0 has no odd sides";
  EXPECT_EQ(video.bytes, 1000u);
  EXPECT_EQ(video.audio_name, "hello.wav");
  EXPECT_EQ(video.options, stage.job.request.speech);
}

TEST(SpeechRunner, FilmsWithTheVersionAndTheOptionsOfItsJob) {
  auto stage = speech_stage{};
  stage.run();
  ASSERT_THAT(stage.films, SizeIs(1));
  EXPECT_EQ(stage.films[0].file, "/staging/j1/video.mp4");
  EXPECT_EQ(stage.films[0].sound, "/avatars/.uploads/u1/source");
  EXPECT_EQ(stage.films[0].options.crf, 20);
  EXPECT_TRUE(stage.films[0].marked);
  auto real = speech_stage{};
  real.job.weights = "real";
  real.run();
  EXPECT_FALSE(real.films.at(0).marked);
}

TEST(SpeechRunner, TakesBatchesOfTheSizeThatTheClientWants) {
  auto stage = speech_stage{};
  stage.world.frames = 12;
  stage.job.request.speech.batch_size = 6;
  stage.run();
  EXPECT_EQ(stage.world.pulled, 2);
}

TEST(SpeechRunner, NeverHasMoreBatchesOutThanItsCredit) {
  for (auto credit : {1, 3}) {
    auto stage = speech_stage{};
    stage.world.frames = 40;
    stage.limits.credit_batches = credit;
    stage.start();
    auto most = int64_t{0};
    while (stage.sched.try_run_once())
      most = std::max(most, 2 * stage.world.pulled - std::ssize(stage.world.written["film"]));
    EXPECT_LE(most, 2 * credit);
    EXPECT_EQ(stage.outcome().state, job_state::completed);
  }
}

TEST(SpeechRunner, TellsProgressThatNeverFalls) {
  auto stage = speech_stage{};
  stage.world.frames = 10;
  stage.run();
  auto last = pipeline::job_progress{};
  for (const auto& x : stage.notes.progress) {
    EXPECT_GE(x.fraction, last.fraction);
    last = x;
  }
  EXPECT_EQ(last.stage, job_stage::publish);
  EXPECT_EQ(last.frames_done, 10);
  EXPECT_EQ(last.frames_total, 10);
  EXPECT_DOUBLE_EQ(last.fraction, 0.95);
}

TEST(SpeechRunner, RefusesASoundThatChangedSinceItWasAccepted) {
  auto stage = speech_stage{};
  stage.job.request.upload_id.clear();
  stage.job.request.video_path = "a.wav";
  stage.job.request.video_sha256 = "of another file";
  stage.run();
  EXPECT_EQ(stage.outcome().failure.code, errc::audio_path_not_found);
  EXPECT_THAT(stage.world.log, ElementsAre("resolve", "discard"));
}

TEST(SpeechRunner, RefusesAnAvatarThatLostItsVersionMeanwhile) {
  auto stage = speech_stage{};
  stage.job.version.clear();
  stage.run();
  EXPECT_EQ(stage.outcome().failure.code, errc::avatar_not_ready);
}

TEST(SpeechRunner, FailsWithTheCodeOfTheStepAndLeavesNothingBehind) {
  for (const auto* step : {"open speech", "begin film", "open film", "pull", "generate", "film",
                           "finish", "publish film"}) {
    SCOPED_TRACE(step);
    auto stage = speech_stage{};
    stage.world.faults[step] = errc::storage_full;
    stage.run();
    EXPECT_EQ(stage.outcome().state, job_state::failed);
    EXPECT_EQ(stage.outcome().failure.code, errc::storage_full);
    EXPECT_THAT(stage.outcome().failure.detail, HasSubstr(step));
    stage.expect_clean();
  }
}

// -- cancellation, deaths and the end, at every point -------------------------------------

namespace {

/// Lets a job come as far as `steps` scheduling steps, disturbs it, and runs it to its end. False
/// when the job had ended before.
template <class F>
bool disturb_after(speech_stage& stage, size_t steps, F&& disturb) {
  stage.start();
  for (size_t i = 0; i < steps; ++i)
    if (!stage.sched.try_run_once())
      return false;
  if (!stage.notes.outcomes.empty())
    return false;
  disturb();
  stage.sched.run();
  return true;
}

bool published(const speech_stage& stage) {
  const auto& log = stage.world.log;
  return std::find(log.begin(), log.end(), "publish film") != log.end();
}

} // namespace

TEST(SpeechRunner, LetsGoWhereverItIsCancelled) {
  auto cancelled = 0;
  for (size_t steps = 0;; ++steps) {
    SCOPED_TRACE(steps);
    auto stage = speech_stage{};
    if (!disturb_after(stage, steps, [&] { stage.self->send(stage.runner, atom::cancel_v); }))
      break;
    auto whole = published(stage);
    EXPECT_EQ(stage.outcome().state, whole ? job_state::completed : job_state::cancelled);
    cancelled += !whole;
    stage.expect_clean();
  }
  EXPECT_GT(cancelled, 10);
}

TEST(SpeechRunner, FailsWhereverAWorkerDies) {
  for (auto who : {0, 1, 2}) {
    auto failed = 0;
    for (size_t steps = 0;; ++steps) {
      SCOPED_TRACE(std::to_string(who) + " after " + std::to_string(steps));
      auto stage = speech_stage{};
      auto kill = [&] {
        if (who == 0)
          stage.kill(stage.parts.reader);
        else if (who == 1)
          stage.kill(stage.parts.maker);
        else
          stage.kill(stage.parts.gpu);
      };
      if (!disturb_after(stage, steps, kill))
        break;
      failed += stage.outcome().state == job_state::failed;
      if (stage.outcome().state == job_state::failed) {
        EXPECT_EQ(stage.outcome().failure.code, errc::worker_died);
      }
      stage.expect_clean();
    }
    EXPECT_GT(failed, 5);
  }
}

TEST(SpeechRunner, TellsNobodyWhenTheServiceStops) {
  for (size_t steps = 0;; ++steps) {
    SCOPED_TRACE(steps);
    auto stage = speech_stage{};
    auto stop = [&] {
      caf::anon_send_exit(stage.runner, caf::exit_reason::user_shutdown);
    };
    if (!disturb_after(stage, steps, stop))
      break;
    // What was published may have been told just before.
    if (!published(stage)) {
      EXPECT_THAT(stage.notes.outcomes, IsEmpty());
      EXPECT_THAT(stage.world.staging, IsEmpty());
    }
    EXPECT_THAT(stage.world.open_clips, IsEmpty());
  }
}
