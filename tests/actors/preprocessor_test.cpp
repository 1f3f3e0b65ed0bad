#include "actors/preprocessor.hpp"

#include "tests/actors/deterministic_system.hpp"
#include "tests/actors/fake_pipeline.hpp"

#include <gmock/gmock.h>

using namespace musetalk;
using namespace musetalk::actors;
using pipeline::clip_request;
using pipeline::media_info;
using pipeline::prepared_batch;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

namespace {

struct Preprocessor : tests::DeterministicSystem {
  tests::fake_world world;
  preprocessor_actor aut = own(sys.spawn(preprocessor, tests::fake_preprocessing(world)));

  ~Preprocessor() override { end_all(); }

  tests::answer<media_info> open(const std::string& job) {
    auto request = clip_request{};
    request.source = "/clips/" + job;
    return ask<media_info>(aut, atom::open_v, job_id{job}, request);
  }

  tests::answer<prepared_batch> pull(const std::string& job, int32_t frames) {
    return ask<prepared_batch>(aut, atom::pull_v, job_id{job}, frames);
  }
};

} // namespace

TEST_F(Preprocessor, HandsOutAClipInOrderAndClosesItWithItsLastFrame) {
  EXPECT_EQ(open("a").value->predicted_frames, 6);
  EXPECT_THAT(world.open_clips, ElementsAre("/clips/a"));
  auto first = pull("a", 4).value.value();
  EXPECT_EQ(first.frames.size(), 4u);
  EXPECT_FALSE(first.last);
  auto second = pull("a", 4).value.value();
  EXPECT_EQ(second.frames.size(), 2u);
  EXPECT_EQ(second.frames.front().source.index, 4);
  EXPECT_TRUE(second.last);
  EXPECT_THAT(world.open_clips, IsEmpty());
  EXPECT_EQ(pull("a", 4).code, errc::cancelled);
}

TEST_F(Preprocessor, RefusesToPullTheClipOfAnotherJob) {
  open("a");
  EXPECT_EQ(pull("b", 4).code, errc::cancelled);
  EXPECT_TRUE(pull("a", 4).value);
}

TEST_F(Preprocessor, ClosesTheClipThatARunnerLeftOpenWhenAnotherIsOpened) {
  open("a");
  open("b");
  EXPECT_THAT(world.open_clips, ElementsAre("/clips/b"));
  EXPECT_EQ(pull("a", 4).code, errc::cancelled);
}

TEST_F(Preprocessor, ClosesOnlyTheClipOfTheJobThatAsks) {
  open("a");
  self->send(aut, atom::close_v, job_id{"b"});
  sched.run();
  EXPECT_THAT(world.open_clips, ElementsAre("/clips/a"));
  self->send(aut, atom::close_v, job_id{"a"});
  sched.run();
  EXPECT_THAT(world.open_clips, IsEmpty());
}

TEST_F(Preprocessor, ClosesAClipThatFailed) {
  open("a");
  world.faults["pull"] = errc::face_lost;
  EXPECT_EQ(pull("a", 4).code, errc::face_lost);
  EXPECT_THAT(world.open_clips, IsEmpty());
  world.faults.clear();
  EXPECT_EQ(pull("a", 4).code, errc::cancelled);
}

TEST_F(Preprocessor, LooksForFacesOnlyInClipsThatNeedThem) {
  auto request = clip_request{};
  request.convert_only = true;
  ask<media_info>(aut, atom::validate_v, job_id{"a"}, request);
  EXPECT_THAT(world.log, ElementsAre("probe"));
  request.convert_only = false;
  ask<media_info>(aut, atom::validate_v, job_id{"a"}, request);
  EXPECT_THAT(world.log, ElementsAre("probe", "probe", "faces"));
}

TEST_F(Preprocessor, ClosesItsClipWhenItEnds) {
  open("a");
  caf::anon_send_exit(aut, caf::exit_reason::user_shutdown);
  sched.run();
  EXPECT_THAT(world.open_clips, IsEmpty());
}
