#include "pipeline/gap_policy.hpp"

#include "errors/error.hpp"
#include "tests/pipeline/pictures.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace musetalk;
using namespace musetalk::pipeline;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

frame frame_at(int64_t index) {
  return {index, plain(8, 8, 0)};
}

face face_at(float x) {
  return plain_face(x, x + 10.f, 20.f, 30.f);
}

// A clip as a string: `x` a frame with a face, which moves one pixel per frame, `.` one without.
struct clip_result {
  std::vector<placed_frame> frames;
  size_t most_at_once = 0;

  std::vector<int64_t> indices() const {
    auto result = std::vector<int64_t>{};
    for (const auto& x : frames)
      result.push_back(x.source.index);
    return result;
  }

  std::vector<float> lefts() const {
    auto result = std::vector<float>{};
    for (const auto& x : frames)
      result.push_back(x.found.landmarks[0].x);
    return result;
  }

  std::string held() const {
    auto result = std::string{};
    for (const auto& x : frames)
      result += x.held ? 'h' : 's';
    return result;
  }
};

clip_result run(const std::string& clip, int32_t max_gap_frames) {
  auto policy = gap_policy{max_gap_frames};
  auto result = clip_result{};
  auto take = [&](std::vector<placed_frame> ready) {
    result.most_at_once = std::max(result.most_at_once, ready.size());
    for (auto& x : ready)
      result.frames.push_back(std::move(x));
  };
  for (auto i = size_t{0}; i < clip.size(); ++i)
    take(
        policy.push(frame_at(static_cast<int64_t>(i)),
                    clip[i] == 'x' ? std::optional{face_at(static_cast<float>(i))} : std::nullopt));
  take(policy.finish());
  return result;
}

error failure_of(const std::string& clip, int32_t max_gap_frames) {
  try {
    run(clip, max_gap_frames);
  } catch (const error& e) {
    return e;
  }
  return error{errc::internal, "nothing was thrown"};
}

} // namespace

TEST(GapPolicy, HandsOutSeenFramesAtOnce) {
  auto result = run("xxxx", 3);
  EXPECT_THAT(result.indices(), ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(result.held(), "ssss");
  EXPECT_EQ(result.most_at_once, 1u);
}

TEST(GapPolicy, MovesTheFaceInAStraightLineAcrossAGap) {
  auto result = run("xx...x", 3);
  EXPECT_THAT(result.indices(), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_EQ(result.held(), "sshhhs");
  EXPECT_THAT(result.lefts(), ElementsAre(0.f, 1.f, 2.f, 3.f, 4.f, 5.f));
}

TEST(GapPolicy, MovesTheOutlineToo) {
  auto result = run("x.x", 1);
  EXPECT_FLOAT_EQ(result.frames[1].found.outline[1].x, 11.f);
}

TEST(GapPolicy, HoldsTheFirstFaceBackToTheStart) {
  auto result = run("..xx", 2);
  EXPECT_EQ(result.held(), "hhss");
  EXPECT_THAT(result.lefts(), ElementsAre(2.f, 2.f, 2.f, 3.f));
}

TEST(GapPolicy, HoldsTheLastFaceToTheEnd) {
  auto result = run("xx..", 2);
  EXPECT_EQ(result.held(), "sshh");
  EXPECT_THAT(result.lefts(), ElementsAre(0.f, 1.f, 1.f, 1.f));
}

TEST(GapPolicy, BridgesSeveralGaps) {
  EXPECT_EQ(run(".x..x.xx.", 2).held(), "hshhshssh");
}

TEST(GapPolicy, TellsWhichFramesAreLostAndTheLimit) {
  auto e = failure_of("x" + std::string(30, '.') + "x", 12);
  EXPECT_EQ(e.code(), errc::face_lost);
  EXPECT_EQ(e.detail(), "No face in frames 1 to 30 (0.04 s to 1.24 s), 30 in a row; at most 12 can "
                        "be bridged.");
}

TEST(GapPolicy, FailsAtTheEndOfAClipToo) {
  auto e = failure_of("xx....", 3);
  EXPECT_EQ(e.code(), errc::face_lost);
  EXPECT_THAT(e.detail(), HasSubstr("frames 2 to 5"));
}

TEST(GapPolicy, FailsForAFaceThatComesLate) {
  auto e = failure_of("....xx", 3);
  EXPECT_EQ(e.code(), errc::face_lost);
  EXPECT_THAT(e.detail(), HasSubstr("frames 0 to 3"));
}

TEST(GapPolicy, StopsFollowingAGapThatHasNoEnd) {
  auto e = failure_of("x" + std::string(1000, '.'), 12);
  EXPECT_EQ(e.code(), errc::face_lost);
  EXPECT_THAT(e.detail(), HasSubstr("at least 263 in a row"));
}

TEST(GapPolicy, SaysWhenThereIsNoFaceAtAll) {
  auto e = failure_of(std::string(40, '.'), 12);
  EXPECT_EQ(e.code(), errc::face_none);
  EXPECT_THAT(e.detail(), HasSubstr("40 frames"));
}

TEST(GapPolicy, SaysSoForAClipShorterThanAGapMayBe) {
  EXPECT_EQ(failure_of("...", 12).code(), errc::face_none);
}

TEST(GapPolicy, BridgesNothingWhenTheLimitIsZero) {
  EXPECT_EQ(failure_of("x.x", 0).code(), errc::face_lost);
}

TEST(GapPolicy, MovesTheDetectorsBoxWithTheFace) {
  auto policy = gap_policy{3};
  auto with_box = [](float x, int32_t left) {
    auto result = face_at(x);
    result.detected = box{left, 10, left + 20, 41};
    return result;
  };
  policy.push(frame_at(0), with_box(0.f, 100));
  for (auto i = 1; i < 4; ++i)
    policy.push(frame_at(i), std::nullopt);
  auto decided = policy.push(frame_at(4), with_box(8.f, 107));
  ASSERT_EQ(decided.size(), 4u);
  EXPECT_EQ(decided[0].found.detected, (box{102, 10, 122, 41}));
  EXPECT_EQ(decided[1].found.detected, (box{104, 10, 124, 41}));
  EXPECT_EQ(decided[3].found.detected, (box{107, 10, 127, 41}));
}
