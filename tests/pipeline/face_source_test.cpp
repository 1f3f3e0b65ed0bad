#include "pipeline/face_source.hpp"

#include "pipeline/box_rule.hpp"
#include "pipeline/face_mask.hpp"
#include "tests/pipeline/fake_analysis.hpp"

#include <gmock/gmock.h>

using namespace musetalk;
using namespace musetalk::pipeline;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

namespace {

std::vector<image> frames(int32_t count) {
  auto result = std::vector<image>{};
  for (auto i = 0; i < count; ++i)
    result.push_back(plain(200, 100, static_cast<uint8_t>(i)));
  return result;
}

/// The brightness by which tests tell frames apart.
int32_t mark(const image& x) {
  return x.pixels->front();
}

} // namespace

TEST(AskForFaces, AsksOnceForAllFramesAndPointsOnlyOfThoseWithAFace) {
  auto networks = std::make_shared<fake_analysis>();
  auto see = networks->see;
  networks->see = [=](const image& x) {
    return mark(x) == 1 ? seen_faces{} : see(x);
  };
  networks->point_out = [](const image& x) {
    auto result = face_points{};
    result[0].x = static_cast<float>(mark(x));
    return result;
  };
  auto found = ask_for_faces(networks)->find(frames(3));
  EXPECT_THAT(networks->asked_to_find, ElementsAre(3u));
  EXPECT_THAT(networks->asked_to_locate, ElementsAre(2u));
  ASSERT_EQ(found.size(), 3u);
  EXPECT_FALSE(found[1]);
  ASSERT_TRUE(found[0] && found[2]);
  EXPECT_EQ(found[0]->landmarks[0].x, 0.f);
  EXPECT_EQ(found[2]->landmarks[0].x, 2.f);
}

TEST(AskForFaces, AsksForNoPointsWhereNobodyIs) {
  auto networks = std::make_shared<fake_analysis>();
  networks->see = [](const image&) {
    return seen_faces{};
  };
  auto found = ask_for_faces(networks)->find(frames(2));
  EXPECT_EQ(found.size(), 2u);
  EXPECT_THAT(networks->asked_to_locate, IsEmpty());
}

TEST(AskForFaces, AsksOnceAboutAFrameThatIsRepeated) {
  auto networks = std::make_shared<fake_analysis>();
  networks->point_out = [](const image& x) {
    auto result = face_points{};
    result[0].x = static_cast<float>(mark(x));
    return result;
  };
  auto shown = frames(2);
  shown.insert(shown.begin(), 2, shown[0]);
  shown.push_back(shown[0]); // it came before, but not just before
  auto found = ask_for_faces(networks)->find(shown);
  EXPECT_THAT(networks->asked_to_find, ElementsAre(3u));
  auto marks = std::vector<float>{};
  for (const auto& x : found)
    marks.push_back(x.value().landmarks[0].x);
  EXPECT_THAT(marks, ElementsAre(0.f, 0.f, 0.f, 1.f, 0.f));
}

TEST(AskForFaces, NeedsSomebodyToAsk) {
  EXPECT_THROW(ask_for_faces(nullptr), error);
}

// Upstream's `f`: the best face of the detector, where the landmarks are of no use.
TEST(FaceOf, FallsBackToTheBestFaceOfTheDetector) {
  auto seen = seen_faces{{{10, 20, 90, 95}, 0.9f}, {{100, 20, 180, 95}, 0.8f}};
  auto points = plain_face(-4.f, 92.f, 50.f, 90.f).landmarks;
  auto made = face_of(seen, points);
  EXPECT_EQ(made.score, 0.9f);
  auto ruled = apply_box_rule(made.landmarks, made.detected, 200, 200);
  ASSERT_TRUE(ruled);
  EXPECT_EQ(ruled->origin, box_origin::left_of_frame);
  EXPECT_EQ(ruled->whole, (box{10, 20, 90, 105}));
}

TEST(FaceOf, DrawsAnOutlineThatAMaskCanBeMadeOf) {
  auto points = face_points{};
  points.fill({100.f, 130.f});
  for (auto i = 0; i <= 16; ++i) // a jaw as an arc from (60, 80) over (100, 160) to (140, 80)
    points[static_cast<size_t>(i)] = {60.f + 5.f * static_cast<float>(i),
                                      160.f - 1.25f * static_cast<float>((i - 8) * (i - 8))};
  for (auto i = 0; i < 10; ++i)
    points[17 + static_cast<size_t>(i)] = {64.f + 8.f * static_cast<float>(i), 70.f};
  auto made = face_of({{{60, 60, 140, 160}, 0.9f}}, points);
  EXPECT_EQ(made.outline.size(), 27u);
  auto face_box = box{60, 50, 140, 170};
  auto mask = mask_from_face(made, face_box, 200, 200);
  auto at = [&](int32_t x, int32_t y) {
    return int{mask.mask.row(y - mask.place.top)[x - mask.place.left]};
  };
  EXPECT_GT(at(100, 140), 200) << "the chin is blended";
  EXPECT_EQ(at(100, 80), 0) << "the upper half is left as it is";
  EXPECT_EQ(at(45, 140), 0) << "beside the jaw nothing is";
}
