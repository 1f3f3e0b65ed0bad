#include "actors/upload_receiver.hpp"

#include "actors/preprocessor.hpp"
#include "actors/storage_writer.hpp"
#include "tests/actors/deterministic_system.hpp"
#include "tests/actors/fake_pipeline.hpp"
#include "tests/actors/fake_registry.hpp"

#include <gmock/gmock.h>

using namespace musetalk;
using namespace musetalk::actors;
using namespace std::chrono_literals;
using pipeline::job_view;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

namespace {

struct UploadReceiver : tests::DeterministicSystem {
  tests::fake_world world;
  tests::registry_notes notes;
  std::shared_ptr<worker_directory> workers = std::make_shared<worker_directory>();
  upload_receiver_config limits;
  registry_actor registry;
  upload_receiver_actor aut;
  bool has_room = true;

  ~UploadReceiver() override { end_all(); }

  void spawn() {
    registry = own(sys.spawn(tests::fake_registry, &notes));
    workers->change([&](worker_set& x) {
      x.storage = own(sys.spawn(storage_writer, std::shared_ptr<pipeline::avatar_store>{
                                                    std::make_shared<tests::fake_store>(world)}));
      x.prober = own(sys.spawn(preprocessor, tests::fake_preprocessing(world)));
    });
    auto parts = upload_receiver_parts{registry, workers};
    parts.require_room = [this](const pipeline::media_info&) {
      if (!has_room)
        throw error(errc::storage_full, "The avatar needs more.");
    };
    aut = own(sys.spawn(upload_receiver, limits, parts));
    sched.run();
  }

  /// An upload's folder exists, and the receiver knows of it.
  void begin(const std::string& id) {
    world.uploads.insert(id);
    self->send(aut, atom::began_v, upload_id{id});
    sched.run();
  }

  static pipeline::spooled_file file(const std::string& id) {
    return {id, "/avatars/.uploads/" + id + "/source", 123, "0a1b"};
  }

  static pipeline::job_request request() {
    auto result = pipeline::job_request{};
    result.avatar_id = "anna";
    return result;
  }

  tests::answer<job_view> commit(const std::string& id) {
    return ask<job_view>(aut, atom::commit_v, file(id), request());
  }

  tests::answer<job_view> create(const std::string& path) {
    auto x = request();
    x.video_path = path;
    return ask<job_view>(aut, atom::create_v, x);
  }
};

} // namespace

TEST_F(UploadReceiver, ProbesAWholeFileAndSubmitsItsJob) {
  spawn();
  begin("u1");
  auto answer = commit("u1");
  ASSERT_TRUE(answer.value);
  EXPECT_EQ(answer.value->record.job_id, "job");
  EXPECT_THAT(world.log, ElementsAre("probe"));
  ASSERT_EQ(notes.submitted.size(), 1u);
  EXPECT_EQ(notes.submitted[0].upload_id, "u1");
  EXPECT_EQ(notes.submitted[0].video_sha256, "0a1b");
  EXPECT_EQ(notes.submitted[0].video_bytes, 123u);
  EXPECT_THAT(world.uploads, ElementsAre("u1"));
}

TEST_F(UploadReceiver, RemovesAnUploadThatIsNoVideo) {
  spawn();
  begin("u1");
  world.faults["probe"] = errc::video_unreadable;
  EXPECT_EQ(commit("u1").code, errc::video_unreadable);
  EXPECT_THAT(notes.submitted, IsEmpty());
  EXPECT_THAT(world.uploads, IsEmpty());
}

TEST_F(UploadReceiver, RefusesAnAvatarForWhichThereIsNoRoom) {
  spawn();
  begin("u1");
  has_room = false;
  auto answer = commit("u1");
  EXPECT_EQ(answer.code, errc::storage_full);
  EXPECT_EQ(answer.detail, "The avatar needs more.");
  EXPECT_THAT(notes.submitted, IsEmpty());
  EXPECT_THAT(world.uploads, IsEmpty());
}

TEST_F(UploadReceiver, RemovesAnUploadWhoseJobIsRefused) {
  spawn();
  begin("u1");
  notes.on_submit = [](const auto&) -> job_view {
    throw error(errc::queue_full, "The queue holds 2 jobs; its limit is 2.");
  };
  auto answer = commit("u1");
  EXPECT_EQ(answer.code, errc::queue_full);
  EXPECT_EQ(answer.detail, "The queue holds 2 jobs; its limit is 2.");
  EXPECT_THAT(world.uploads, IsEmpty());
}

TEST_F(UploadReceiver, RemovesAnUploadThatAnEarlierJobMakesNeedless) {
  spawn();
  begin("u2");
  notes.on_submit = [](const auto& x) {
    auto result = job_view{};
    result.record.request = x;
    result.record.request.upload_id = "u1";
    return result;
  };
  EXPECT_TRUE(commit("u2").value);
  EXPECT_THAT(world.uploads, IsEmpty());
}

TEST_F(UploadReceiver, KeepsAnUploadThatTheRegistryMayHaveTakenOver) {
  spawn();
  begin("u1");
  notes.silent = true;
  auto answer = ask_later<job_view>(aut, atom::commit_v, file("u1"), request());
  sched.advance_time(limits.step_timeout);
  sched.run();
  EXPECT_EQ(answer->code, errc::timeout);
  EXPECT_THAT(world.uploads, ElementsAre("u1"));
}

TEST_F(UploadReceiver, RemovesTheUploadOfAClientThatWentAway) {
  spawn();
  begin("u1");
  begin("u2");
  self->send(aut, atom::gone_v, upload_id{"u1"});
  sched.run();
  EXPECT_THAT(world.uploads, ElementsAre("u2"));
}

TEST_F(UploadReceiver, FinishesTheJobOfAClientThatWentAwayAfterItsLastByte) {
  spawn();
  begin("u1");
  auto answer = ask_later<job_view>(aut, atom::commit_v, file("u1"), request());
  self->send(aut, atom::gone_v, upload_id{"u1"});
  sched.run();
  EXPECT_TRUE(answer->value);
  EXPECT_THAT(world.uploads, ElementsAre("u1"));
}

TEST_F(UploadReceiver, ReleasesTheUploadOfAJobThatHasEnded) {
  spawn();
  begin("u1");
  commit("u1");
  self->send(aut, atom::release_v, upload_id{"u1"});
  sched.run();
  EXPECT_THAT(world.uploads, IsEmpty());
}

TEST_F(UploadReceiver, RemovesAnUploadThatStandsStill) {
  limits.idle_timeout = 10s;
  limits.tick = 1s;
  spawn();
  begin("still");
  begin("moving");
  for (auto second = 0; second < 15; ++second) {
    sched.advance_time(1s);
    self->send(aut, atom::began_v, upload_id{"moving"});
    sched.run();
    EXPECT_EQ(world.uploads.contains("still"), second < 9) << second;
  }
  EXPECT_THAT(world.uploads, ElementsAre("moving"));
}

TEST_F(UploadReceiver, SleepsWhileNothingCanExpire) {
  spawn();
  EXPECT_FALSE(sched.has_pending_timeout());
  begin("u1");
  EXPECT_TRUE(sched.has_pending_timeout());
  self->send(aut, atom::gone_v, upload_id{"u1"});
  sched.run();
  sched.advance_time(limits.tick);
  sched.run();
  EXPECT_FALSE(sched.has_pending_timeout());
}

TEST_F(UploadReceiver, ResolvesAVideoBelowARootBeforeItIsProbed) {
  spawn();
  auto answer = create("clip.mp4");
  ASSERT_TRUE(answer.value);
  EXPECT_THAT(world.log, ElementsAre("resolve", "probe"));
  EXPECT_EQ(notes.submitted.at(0).video_path, "/videos/clip.mp4");
  EXPECT_EQ(notes.submitted.at(0).video_name, "clip.mp4");
  EXPECT_EQ(notes.submitted.at(0).video_sha256, "abc");
  EXPECT_EQ(notes.submitted.at(0).upload_id, "");
}

TEST_F(UploadReceiver, RefusesAPathThatDoesNotResolve) {
  spawn();
  world.faults["resolve"] = errc::video_path_forbidden;
  EXPECT_EQ(create("../../etc/passwd").code, errc::video_path_forbidden);
  EXPECT_THAT(world.log, ElementsAre("resolve"));
}

TEST_F(UploadReceiver, BoundsTheVideosThatWaitForTheirProbe) {
  limits.max_pending = 1;
  spawn();
  begin("u1");
  begin("u2");
  // Both arrive before the prober has looked at the first.
  auto first = self->request(aut, 1s, atom::commit_v, file("u1"), request());
  auto second = self->request(aut, 1s, atom::commit_v, file("u2"), request());
  EXPECT_TRUE(read<job_view>(first).value);
  EXPECT_EQ(read<job_view>(second).code, errc::queue_full);
  EXPECT_THAT(world.uploads, ElementsAre("u1"));
}

TEST_F(UploadReceiver, AnswersEveryoneAndRemovesWhatNoJobHasWhenItStops) {
  spawn();
  begin("arriving");
  begin("probing");
  auto answer = self->request(aut, 1s, atom::commit_v, file("probing"), request());
  sched.run_once();
  caf::anon_send_exit(aut, caf::exit_reason::user_shutdown);
  sched.prioritize(aut);
  sched.run_once();
  EXPECT_EQ(read<job_view>(answer).code, errc::stopping);
  EXPECT_THAT(world.uploads, IsEmpty());
}
