#include "actors/musetalk_runner.hpp"

#include "actors/gpu_scheduler.hpp"
#include "actors/preprocessor.hpp"
#include "actors/storage_writer.hpp"
#include "tests/actors/deterministic_system.hpp"
#include "tests/actors/fake_device.hpp"
#include "tests/actors/fake_pipeline.hpp"
#include "tests/actors/fake_registry.hpp"

#include <gmock/gmock.h>

using namespace musetalk;
using namespace musetalk::actors;
using namespace std::chrono_literals;
using pipeline::job_stage;
using pipeline::job_state;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::Not;
using ::testing::SizeIs;

namespace {

/// One runner with real workers over a fake pipeline. Nothing moves before `sched.run()`.
struct runner_stage : tests::deterministic_system {
  tests::fake_world world;
  tests::registry_notes notes;
  tests::held_device device;
  musetalk_runner_config limits;
  pipeline::job job;
  musetalk_runner_parts parts;
  musetalk_runner_actor runner;

  runner_stage() {
    job.job_id = "j1";
    job.engine = "native";
    job.weights = "synthetic";
    job.request.avatar_id = "anna";
    job.request.upload_id = "u1";
    limits.layout.root = "/avatars";
    limits.batch_frames = 2;
    parts.registry = own(sys.spawn(tests::fake_registry, &notes));
    parts.preprocessor = own(sys.spawn(preprocessor, tests::fake_preprocessing(world)));
    parts.storage = own(sys.spawn(storage_writer, std::shared_ptr<pipeline::avatar_store>{
                                                      std::make_shared<tests::fake_store>(world)}));
    parts.gpu = own(sys.spawn(
        gpu_scheduler, gpu_scheduler_config{},
        gpu_scheduler_parts{[this] { return std::make_unique<tests::fake_networks>(world); },
                            [](const device_status&) {},
                            [](const std::string&) {
                            }}));
    sched.run();
  }

  ~runner_stage() { end_all(); }

  /// Exchanges the device for one that answers when it is told.
  void hold_device() { parts.gpu = own(sys.spawn(tests::fake_gpu, &device)); }

  /// Lets the held device answer one request.
  void answer() {
    self->send(parts.gpu, atom::next_v);
    sched.run();
  }

  void start() {
    runner = own(sys.spawn(musetalk_runner, limits, parts, job));
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

  /// Nothing of the job may be left anywhere.
  void expect_clean() {
    EXPECT_THAT(world.staging, IsEmpty());
    EXPECT_THAT(world.open_clips, IsEmpty());
  }
};

int64_t total_ms(const job_outcome& x) {
  auto result = int64_t{0};
  for (const auto& [name, ms] : x.timings_ms)
    if (name.find('.') == std::string::npos)
      result += ms;
  return result;
}

} // namespace

// -- the way of a job ---------------------------------------------------------------

TEST(MusetalkRunner, ConductsTheStagesInOrder) {
  auto stage = runner_stage{};
  stage.world.frames = 4;
  stage.limits.credit_batches = 1;
  stage.run();
  EXPECT_EQ(stage.outcome().state, job_state::completed);
  EXPECT_EQ(stage.outcome().version.version, "v000001");
  EXPECT_THAT(stage.world.log,
              ElementsAre("probe", "faces", "begin", "open", "pull", "encode", "write", "pull",
                          "encode", "write", "verify", "publish"));
  EXPECT_THAT(stage.world.written["j1"], ElementsAre(0, 1, 2, 3));
  stage.expect_clean();
}

TEST(MusetalkRunner, WritesFramesInTheOrderOfTheClipWhateverTheDeviceAnswersFirst) {
  auto stage = runner_stage{};
  stage.hold_device();
  stage.limits.credit_batches = 3;
  stage.run();
  ASSERT_EQ(stage.device.waiting.size(), 3u);
  stage.device.newest = true;
  stage.answer();
  stage.answer();
  EXPECT_THAT(stage.world.written["j1"], IsEmpty());
  stage.answer();
  EXPECT_THAT(stage.world.written["j1"], ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_EQ(stage.outcome().state, job_state::completed);
}

TEST(MusetalkRunner, NeverHasMoreBatchesOutThanItsCredit) {
  for (auto credit : {1, 2, 5}) {
    auto stage = runner_stage{};
    stage.hold_device();
    stage.world.frames = 20;
    stage.limits.batch_frames = 1;
    stage.limits.credit_batches = credit;
    stage.run();
    while (!stage.device.waiting.empty()) {
      auto out = stage.world.pulled - std::ssize(stage.world.written["j1"]);
      EXPECT_EQ(out, std::min<int64_t>(credit, 20 - std::ssize(stage.world.written["j1"])));
      stage.answer();
    }
    EXPECT_EQ(stage.device.most_waiting, static_cast<size_t>(credit));
    EXPECT_EQ(stage.outcome().state, job_state::completed);
  }
}

TEST(MusetalkRunner, ConvertsOnlyInMockMode) {
  auto stage = runner_stage{};
  stage.limits.mock = true;
  stage.parts.gpu = nullptr;
  stage.run();
  EXPECT_EQ(stage.outcome().state, job_state::completed);
  EXPECT_THAT(stage.world.log,
              ElementsAre("probe", "begin", "open", "pull", "pull", "pull", "verify", "publish"));
  EXPECT_THAT(stage.notes.progress,
              Contains(::testing::Field(&pipeline::job_progress::stage, job_stage::convert)));
}

TEST(MusetalkRunner, FinishesAClipWhoseLastBatchIsEmpty) {
  auto stage = runner_stage{};
  stage.world.frames = 0;
  stage.run();
  EXPECT_EQ(stage.outcome().state, job_state::completed);
  EXPECT_THAT(stage.world.written["j1"], IsEmpty());
}

TEST(MusetalkRunner, TellsProgressThatNeverFalls) {
  auto stage = runner_stage{};
  stage.world.frames = 10;
  stage.run();
  auto last = pipeline::job_progress{};
  for (const auto& x : stage.notes.progress) {
    EXPECT_EQ(x.job_id, "j1");
    EXPECT_GE(x.fraction, last.fraction);
    EXPECT_GE(x.stage, last.stage);
    EXPECT_LE(x.fraction, 1.);
    last = x;
  }
  EXPECT_EQ(last.stage, job_stage::publish);
  EXPECT_EQ(last.frames_done, 10);
  EXPECT_EQ(last.frames_total, 10);
  EXPECT_DOUBLE_EQ(last.fraction, 0.95);
}

TEST(MusetalkRunner, TellsWhereTheTimeWentWithoutLosingAMillisecond) {
  auto stage = runner_stage{};
  stage.hold_device();
  stage.limits.credit_batches = 1;
  auto began = stage.sys.clock().now();
  stage.run();
  while (!stage.device.waiting.empty()) {
    stage.sched.advance_time(1234567us);
    stage.answer();
  }
  auto wall =
      std::chrono::duration_cast<std::chrono::milliseconds>(stage.sys.clock().now() - began);
  EXPECT_EQ(total_ms(stage.outcome()), wall.count());
  EXPECT_EQ(stage.outcome().timings_ms.at("prepare"), 3703);
  EXPECT_EQ(stage.outcome().timings_ms.at("prepare.encode"), 3703);
  EXPECT_EQ(stage.outcome().timings_ms.at("prepare.write"), 0);
}

// -- videos below a root ----------------------------------------------------------------

TEST(MusetalkRunner, ResolvesAPathAnewBeforeItReadsIt) {
  auto stage = runner_stage{};
  stage.job.request.upload_id.clear();
  stage.job.request.video_path = "a.mp4";
  stage.job.request.video_sha256 = "abc";
  stage.run();
  EXPECT_EQ(stage.world.log.front(), "resolve");
  EXPECT_EQ(stage.outcome().state, job_state::completed);
}

TEST(MusetalkRunner, RefusesAFileThatChangedSinceItWasAccepted) {
  auto stage = runner_stage{};
  stage.job.request.upload_id.clear();
  stage.job.request.video_path = "a.mp4";
  stage.job.request.video_sha256 = "of another file";
  stage.run();
  EXPECT_EQ(stage.outcome().failure.code, errc::video_path_not_found);
  EXPECT_THAT(stage.world.log, Not(Contains("open")));
}

// -- failures -----------------------------------------------------------------------------

TEST(MusetalkRunner, FailsWithTheCodeOfTheStepAndLeavesNothingBehind) {
  for (const auto* step :
       {"probe", "faces", "begin", "open", "pull", "encode", "write", "verify", "publish"}) {
    SCOPED_TRACE(step);
    auto stage = runner_stage{};
    stage.world.faults[step] = errc::storage_full;
    stage.run();
    EXPECT_EQ(stage.outcome().state, job_state::failed);
    EXPECT_EQ(stage.outcome().failure.code, errc::storage_full);
    EXPECT_THAT(stage.outcome().failure.detail, HasSubstr(step));
    EXPECT_THAT(stage.world.published, IsEmpty());
    stage.expect_clean();
  }
}

TEST(MusetalkRunner, AsksADeviceAgainThatWasBusy) {
  auto stage = runner_stage{};
  stage.hold_device();
  stage.world.frames = 2;
  stage.device.refuse = errc::device_busy;
  stage.run();
  EXPECT_THAT(stage.device.waiting, IsEmpty());
  stage.sched.advance_time(stage.limits.busy_retry);
  stage.sched.run();
  ASSERT_EQ(stage.device.waiting.size(), 1u);
  stage.answer();
  EXPECT_EQ(stage.outcome().state, job_state::completed);
}

TEST(MusetalkRunner, FailsAStepThatDoesNotAnswerInTime) {
  auto stage = runner_stage{};
  stage.hold_device();
  stage.limits.step_timeout = 20s;
  stage.run();
  stage.sched.advance_time(20s);
  stage.sched.run();
  EXPECT_EQ(stage.outcome().failure.code, errc::timeout);
  EXPECT_THAT(stage.outcome().failure.detail, HasSubstr("20 s"));
  EXPECT_THAT(stage.device.cancelled, ElementsAre("j1"));
  stage.expect_clean();
}

TEST(MusetalkRunner, FailsAJobThatRunsTooLongThoughEveryStepAnswers) {
  auto stage = runner_stage{};
  stage.hold_device();
  stage.world.frames = 1000;
  stage.limits.job_timeout = 60s;
  stage.run();
  for (auto i = 0; i < 5 && !stage.device.waiting.empty(); ++i) {
    stage.sched.advance_time(15s);
    stage.sched.run();
    if (!stage.device.waiting.empty())
      stage.answer();
  }
  EXPECT_EQ(stage.outcome().failure.code, errc::timeout);
  EXPECT_THAT(stage.outcome().failure.detail, HasSubstr("60 s"));
  stage.expect_clean();
}

// -- cancellation, deaths and the end, at every point -------------------------------------

namespace {

/// Lets a job come as far as `steps` scheduling steps, disturbs it, and runs it to its end. False
/// when the job had ended before.
template <class F>
bool disturb_after(runner_stage& stage, size_t steps, F&& disturb) {
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

} // namespace

TEST(MusetalkRunner, LetsGoWhereverItIsCancelled) {
  auto cancelled = 0;
  for (size_t steps = 0;; ++steps) {
    SCOPED_TRACE(steps);
    auto stage = runner_stage{};
    if (!disturb_after(stage, steps, [&] { stage.self->send(stage.runner, atom::cancel_v); }))
      break;
    auto published = !stage.world.published.empty();
    EXPECT_EQ(stage.outcome().state, published ? job_state::completed : job_state::cancelled);
    cancelled += !published;
    stage.expect_clean();
  }
  EXPECT_GT(cancelled, 10);
}

TEST(MusetalkRunner, TellsTheDeviceAndWaitsForItWhenCancelled) {
  auto stage = runner_stage{};
  stage.hold_device();
  stage.run();
  stage.self->send(stage.runner, atom::cancel_v);
  stage.sched.run();
  EXPECT_THAT(stage.device.cancelled, ElementsAre("j1"));
  EXPECT_THAT(stage.device.waiting, IsEmpty());
  EXPECT_EQ(stage.outcome().state, job_state::cancelled);
}

TEST(MusetalkRunner, FailsWhenAWorkerDiesWhereverThatHappens) {
  auto victims = std::vector<std::function<void(runner_stage&)>>{
      [](auto& x) { x.kill(x.parts.preprocessor); },
      [](auto& x) { x.kill(x.parts.gpu); },
      [](auto& x) { x.kill(x.parts.storage); },
  };
  for (size_t victim = 0; victim < victims.size(); ++victim) {
    auto failed = 0;
    for (size_t steps = 0;; ++steps) {
      SCOPED_TRACE(std::to_string(victim) + " after " + std::to_string(steps));
      auto stage = runner_stage{};
      if (!disturb_after(stage, steps, [&] { victims[victim](stage); }))
        break;
      auto completed = stage.outcome().state == job_state::completed;
      EXPECT_EQ(completed, !stage.world.published.empty());
      if (!completed) {
        EXPECT_EQ(stage.outcome().failure.code, errc::worker_died);
      }
      failed += !completed;
      stage.expect_clean();
    }
    EXPECT_GT(failed, 10);
  }
}

TEST(MusetalkRunner, DoesNotWaitForAWorkerThatDiedWithItsWork) {
  auto stage = runner_stage{};
  stage.hold_device();
  stage.run();
  ASSERT_THAT(stage.device.waiting, Not(IsEmpty()));
  stage.kill(stage.parts.gpu);
  stage.sched.run();
  EXPECT_EQ(stage.outcome().failure.code, errc::worker_died);
  stage.expect_clean();
}

TEST(MusetalkRunner, LeavesNoHalfAvatarAndTellsNothingWhenTheServiceStops) {
  auto stopped = 0;
  for (size_t steps = 0;; ++steps) {
    SCOPED_TRACE(steps);
    auto stage = runner_stage{};
    auto running = disturb_after(
        stage, steps, [&] { caf::anon_send_exit(stage.runner, caf::exit_reason::user_shutdown); });
    if (!running)
      break;
    // Either it is whole, or nobody hears of it.
    auto published = !stage.world.published.empty();
    EXPECT_THAT(stage.notes.outcomes, SizeIs(Le(published ? 1u : 0u)));
    stage.expect_clean();
    stopped += !published;
  }
  EXPECT_GT(stopped, 10);
}

TEST(MusetalkRunner, EndsWithTheRegistry) {
  auto stage = runner_stage{};
  stage.hold_device();
  stage.run();
  stage.kill(stage.parts.registry);
  stage.sched.run();
  EXPECT_THAT(stage.device.cancelled, ElementsAre("j1"));
  stage.expect_clean();
}
