#include "pipeline/person_segmenter.hpp"

#include "errors/error.hpp"
#include "tests/pipeline/pictures.hpp"

#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

using namespace musetalk;
using namespace musetalk::pipeline;

namespace {

// The largest difference from the official mask, in steps of 1/255.
double difference(segmenter_shape shape, const std::string& official) {
  auto segmenter = person_segmenter{face_models(), shape};
  auto picture = load_picture(golden("faces/frame_000.png"));
  auto made = segmenter.segment(picture);
  auto small = cv::Mat(made.height, made.width, CV_32F, made.values.data());
  auto large = cv::Mat{};
  cv::resize(small, large, {picture.width, picture.height}, 0, 0, cv::INTER_LINEAR);
  auto expected = load_picture(golden("faces/" + official));
  auto wanted = cv::Mat{};
  borrow(expected).convertTo(wanted, CV_32F);
  return cv::norm(255. * large, wanted, cv::NORM_INF);
}

} // namespace

TEST(PersonSegmenter, EqualsTheOfficialMask) {
  EXPECT_LT(difference(segmenter_shape::general, "person_general.png"), 0.6);
  EXPECT_LT(difference(segmenter_shape::landscape, "person_landscape.png"), 0.6);
}

TEST(PersonSegmenter, TakesPicturesOfAnySize) {
  auto segmenter = person_segmenter{face_models(), segmenter_shape::general};
  for (auto picture : {plain(1, 1, 0), plain(3000, 2, 255), plain(2, 1000, 90)}) {
    auto made = segmenter.segment(picture);
    EXPECT_EQ(made.values.size(), size_t{256 * 256});
    for (auto x : made.values)
      ASSERT_TRUE(x >= 0.f && x <= 1.f);
  }
}

TEST(PersonSegmenter, RefusesAGrayPicture) {
  auto segmenter = person_segmenter{face_models(), segmenter_shape::landscape};
  EXPECT_THROW(segmenter.segment(plain(64, 64, 0, 1)), error);
}

TEST(PersonSegmenter, SaysWhatIsMissing) {
  EXPECT_THROW((person_segmenter{"/nowhere", segmenter_shape::general}), error);
}
