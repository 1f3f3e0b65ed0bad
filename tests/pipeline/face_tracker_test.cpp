#include "pipeline/face_tracker.hpp"

#include "tests/pipeline/official_facemesh.hpp"
#include "tests/pipeline/pictures.hpp"

#include <opencv2/imgproc.hpp>

#include <future>
#include <vector>

#include <gtest/gtest.h>

using namespace musetalk::pipeline;

namespace {

image sample(int32_t index) {
  return load_picture(golden("faces/frame_00" + std::to_string(index) + ".png"));
}

} // namespace

TEST(FaceTracker, EqualsTheOfficialFaceMesh) {
  compare_with_official(golden("faces"));
}

TEST(FaceTracker, LosesTheFaceAndFindsItElsewhere) {
  auto tracker = face_tracker{face_models()};
  auto first = sample(0);
  auto here = tracker.process(on_black(first, 400, 300, 0, 0));
  ASSERT_TRUE(here);
  EXPECT_FALSE(tracker.process(plain(400, 300, 0)));
  auto there = tracker.process(on_black(first, 400, 300, 200, 140));
  ASSERT_TRUE(there);
  EXPECT_NEAR(there->landmarks[30].x - here->landmarks[30].x, 200.f, 1.5f);
  EXPECT_NEAR(there->landmarks[30].y - here->landmarks[30].y, 140.f, 1.5f);
}

TEST(FaceTracker, LooksFartherWhenTheNearDetectorMisses) {
  // The face is 6 % of the picture's width: too small for the near detector.
  auto picture = on_black(sample(0), 800, 450, 360, 160);
  auto near_only = face_tracker{face_models(), {.second_try = false}};
  EXPECT_FALSE(near_only.process(picture));
  auto both = face_tracker{face_models()};
  EXPECT_TRUE(both.process(picture));
}

TEST(FaceTracker, ForgetsOnReset) {
  auto tracker = face_tracker{face_models()};
  auto fresh = tracker.process_mesh(sample(3));
  tracker.reset();
  tracker.process_mesh(sample(0));
  tracker.reset();
  EXPECT_EQ(tracker.process_mesh(sample(3))->points, fresh->points);
}

TEST(FaceTracker, GivesAnOutlineAroundTheLandmarks) {
  auto tracker = face_tracker{face_models()};
  auto found = tracker.process(sample(0));
  ASSERT_TRUE(found);
  ASSERT_EQ(found->outline.size(), 36u);
  auto polygon = std::vector<cv::Point2f>{};
  for (auto p : found->outline)
    polygon.emplace_back(p.x, p.y);
  // Eyes, nose and mouth; the jaw's points lie on the outline itself.
  for (auto i = 27; i < 68; ++i) {
    auto p = found->landmarks[i];
    EXPECT_GT(cv::pointPolygonTest(polygon, {p.x, p.y}, false), 0.) << i;
  }
  // Clockwise on the screen: the shoelace sum is positive with y down.
  auto sum = 0.;
  for (auto i = size_t{0}; i < polygon.size(); ++i) {
    auto next = polygon[(i + 1) % polygon.size()];
    sum += polygon[i].x * next.y - next.x * polygon[i].y;
  }
  EXPECT_GT(sum, 0.);
}

TEST(FaceTracker, IsNotDisturbedByOtherThreads) {
  auto track = [] {
    auto tracker = face_tracker{face_models()};
    auto result = std::vector<mesh>{};
    for (auto i = 0; i < 6; ++i)
      result.push_back(tracker.process_mesh(sample(i)).value());
    return result;
  };
  auto alone = track();
  auto others = std::vector<std::future<std::vector<mesh>>>{};
  for (auto i = 0; i < 3; ++i)
    others.push_back(std::async(std::launch::async, track));
  for (auto& other : others) {
    auto beside = other.get();
    for (auto i = size_t{0}; i < alone.size(); ++i)
      EXPECT_EQ(beside[i].points, alone[i].points);
  }
}
