#include "pipeline/face_samples.hpp"

#include "errors/error.hpp"
#include "tests/pipeline/pictures.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace musetalk;
using namespace musetalk::pipeline;
using testing::HasSubstr;

namespace {

detection face_of_width(float width) {
  return {0.9f, 0.f, 0.f, width, width, {}};
}

using samples = std::vector<std::vector<detection>>;

error failure_of(const samples& seen) {
  try {
    require_one_face(judge_samples(seen, 40), 40);
  } catch (const error& e) {
    return e;
  }
  return error{errc::internal, "nothing was thrown"};
}

} // namespace

TEST(JudgeSamples, TakesOneClearFace) {
  auto report = judge_samples(samples{{face_of_width(90)}, {face_of_width(100)}, {}}, 40);
  EXPECT_EQ(report.verdict, sample_verdict::one_face);
  EXPECT_EQ(report.samples_with_face, 2);
  EXPECT_NO_THROW(require_one_face(report, 40));
}

TEST(JudgeSamples, SaysThatNobodyIsThere) {
  auto e = failure_of({{}, {}, {}});
  EXPECT_EQ(e.code(), errc::face_none);
  EXPECT_EQ(e.detail(), "No face in any of 3 sampled frames.");
}

TEST(JudgeSamples, TakesNoSamplesForNobody) {
  EXPECT_EQ(judge_samples({}, 40).verdict, sample_verdict::no_face);
}

TEST(JudgeSamples, CountsASecondFaceOfComparableSize) {
  auto pair = std::vector{face_of_width(100), face_of_width(60)};
  auto e = failure_of({pair, pair, {face_of_width(100)}, {face_of_width(100)}});
  EXPECT_EQ(e.code(), errc::face_several);
  EXPECT_THAT(e.detail(), HasSubstr("2 faces of comparable size, in 2 of 4 sampled frames"));
}

TEST(JudgeSamples, LetsSmallFacesInTheBackgroundBe) {
  auto crowd = std::vector{face_of_width(100), face_of_width(40), face_of_width(30)};
  EXPECT_EQ(judge_samples(samples{crowd, crowd, crowd}, 40).verdict, sample_verdict::one_face);
}

TEST(JudgeSamples, ForgivesOneSlipOfTheDetector) {
  auto seen = samples(7, {face_of_width(100)});
  seen[3].push_back(face_of_width(90));
  EXPECT_EQ(judge_samples(seen, 40).verdict, sample_verdict::one_face);
}

TEST(JudgeSamples, MeasuresTheFaceThatIsTooSmall) {
  auto e = failure_of(samples(5, {face_of_width(23.4f)}));
  EXPECT_EQ(e.code(), errc::face_too_small);
  EXPECT_EQ(e.detail(), "The face is 23 pixels wide; at least 40 are needed.");
}

TEST(FaceFinder, FindsTheOneFaceOfTheSample) {
  auto finder = face_finder{face_models()};
  auto found = finder.find(load_picture(golden("faces/frame_000.png")));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NEAR(found[0].width(), 49.f, 8.f);
}

TEST(FaceFinder, FindsTwoFacesSideBySide) {
  auto finder = face_finder{face_models()};
  auto one = load_picture(golden("faces/frame_000.png"));
  auto two = cv::Mat{};
  cv::hconcat(borrow(one), borrow(one), two);
  auto report = judge_samples(samples{finder.find(to_image(two))}, 40);
  EXPECT_EQ(report.verdict, sample_verdict::several_faces);
  EXPECT_EQ(report.most_faces, 2);
}

TEST(FaceFinder, FindsNobodyInAnEmptyPicture) {
  auto finder = face_finder{face_models()};
  EXPECT_TRUE(finder.find(plain(640, 480, 128)).empty());
  EXPECT_TRUE(finder.find(plain(1, 1, 0)).empty());
}
