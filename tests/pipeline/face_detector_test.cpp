#include "pipeline/face_detector.hpp"

#include "errors/error.hpp"
#include "tests/pipeline/pictures.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

using namespace musetalk;
using namespace musetalk::pipeline;
using testing::HasSubstr;

namespace {

class FaceDetector : public testing::TestWithParam<detector_range> {
protected:
  face_detector detector{face_models(), GetParam()};
  image sample = load_picture(golden("faces/frame_000.png"));
};

} // namespace

TEST_P(FaceDetector, FindsTheFaceWithItsEyesAboveItsMouth) {
  auto found = detector.detect(sample);
  ASSERT_EQ(found.size(), 1u);
  auto [right_eye, left_eye, nose, mouth, right_ear, left_ear] = found[0].keypoints;
  EXPECT_GT(found[0].score, 0.6f);
  EXPECT_LT(right_eye.x, left_eye.x);
  EXPECT_LT(right_eye.y, nose.y);
  EXPECT_LT(nose.y, mouth.y);
  EXPECT_LT(right_ear.x, left_ear.x);
}

TEST_P(FaceDetector, FollowsTheFaceWhereverThePictureIsPut) {
  auto here = detector.detect(sample).at(0);
  auto there = detector.detect(on_black(sample, 176, 240, 0, 90)).at(0);
  EXPECT_NEAR(there.left, here.left, 4.f);
  EXPECT_NEAR(there.top, here.top + 90.f, 4.f);
}

TEST_P(FaceDetector, FindsNobodyOnOneColour) {
  EXPECT_TRUE(detector.detect(plain(320, 240, 0)).empty());
  EXPECT_TRUE(detector.detect(plain(1, 1, 255)).empty());
  EXPECT_TRUE(detector.detect(plain(2000, 3, 90)).empty());
}

TEST_P(FaceDetector, RefusesAGrayPicture) {
  EXPECT_THROW(detector.detect(plain(32, 32, 0, 1)), error);
}

INSTANTIATE_TEST_SUITE_P(Ranges, FaceDetector,
                         testing::Values(detector_range::near, detector_range::far));

TEST(FaceDetectorModels, NamesTheNetworkThatIsMissing) {
  try {
    face_detector{"/nowhere", detector_range::near};
    FAIL();
  } catch (const error& e) {
    EXPECT_EQ(e.code(), errc::models_missing);
    EXPECT_THAT(e.detail(), HasSubstr("face_detection_short_range.onnx"));
    EXPECT_THAT(e.detail(), testing::Not(HasSubstr("nowhere")));
  }
}

TEST(FaceDetectorModels, RefusesAFileThatIsNoNetwork) {
  auto folder = std::filesystem::path{testing::TempDir()} / "no_network";
  std::filesystem::create_directories(folder);
  std::ofstream{folder / "face_detection_full_range.onnx"} << "not a network";
  try {
    face_detector{folder, detector_range::far};
    FAIL();
  } catch (const error& e) {
    EXPECT_EQ(e.code(), errc::models_invalid);
  }
}

TEST(FaceDetectorModels, RefusesAnotherNetworkUnderItsName) {
  auto folder = std::filesystem::path{testing::TempDir()} / "other_network";
  std::filesystem::create_directories(folder);
  std::filesystem::copy_file(face_models() / "face_landmark.onnx",
                             folder / "face_detection_full_range.onnx",
                             std::filesystem::copy_options::overwrite_existing);
  try {
    face_detector{folder, detector_range::far};
    FAIL();
  } catch (const error& e) {
    EXPECT_EQ(e.code(), errc::models_invalid);
  }
}
