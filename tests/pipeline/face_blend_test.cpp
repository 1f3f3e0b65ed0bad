#include "pipeline/face_blend.hpp"

#include "errors/error.hpp"
#include "tests/pipeline/pictures.hpp"

#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include <vector>

using namespace musetalk;
using namespace musetalk::pipeline;

namespace {

image noise(int32_t width, int32_t height, int32_t channels, uint64_t seed) {
  auto pixels = cv::Mat(height, width, channels == 3 ? CV_8UC3 : CV_8UC1);
  auto random = cv::RNG{seed};
  random.fill(pixels, cv::RNG::UNIFORM, 0, 256);
  return to_image(pixels);
}

// Soft inside, zero on a rim, as blurred masks are.
image soft_mask(int32_t width, int32_t height) {
  auto pixels = cv::Mat(height, width, CV_8UC1, cv::Scalar{0});
  cv::ellipse(pixels, {width / 2, height * 2 / 3}, {width / 3, height / 4}, 0, 0, 360, 255,
              cv::FILLED);
  cv::GaussianBlur(pixels, pixels, {0, 0}, 7);
  return to_image(pixels);
}

// Upstream's way, pixel by pixel: crop the box out of the frame (black outside), paste the face
// into it, paste that through the mask onto the frame.
image paste_whole(const image& frame, const image& face, const box& face_box, const image& mask,
                  const box& mask_box) {
  auto resized = cv::Mat{};
  cv::resize(borrow(face), resized, {face_box.width(), face_box.height()}, 0, 0, cv::INTER_LINEAR);
  auto result = borrow(frame).clone();
  auto inside = [](const box& where, int x, int y) {
    return x >= where.left && x < where.right && y >= where.top && y < where.bottom;
  };
  for (auto y = mask_box.top; y < mask_box.bottom; ++y)
    for (auto x = mask_box.left; x < mask_box.right; ++x) {
      if (!inside({0, 0, frame.width, frame.height}, x, y))
        continue;
      auto& pixel = result.at<cv::Vec3b>(y, x);
      auto large = inside(face_box, x, y)
                       ? resized.at<cv::Vec3b>(y - face_box.top, x - face_box.left)
                       : pixel;
      auto m = int{borrow(mask).at<uint8_t>(y - mask_box.top, x - mask_box.left)};
      for (auto c = 0; c < 3; ++c) {
        auto sum = pixel[c] * (255 - m) + large[c] * m + 128;
        pixel[c] = static_cast<uint8_t>(((sum >> 8) + sum) >> 8);
      }
    }
  return to_image(result);
}

image blended(const image& frame, const image& face, const box& face_box, const image& mask,
              const box& mask_box) {
  auto area = find_blend_area(mask, mask_box, face_box, frame.width, frame.height);
  auto pixels = *frame.pixels;
  blend_face(face, face_box, area, pixels, frame.width, frame.height);
  return {frame.width, frame.height, 3, share(std::move(pixels))};
}

} // namespace

TEST(FaceBlend, EqualsThePasteOfTheWholeCropBox) {
  auto frame = noise(321, 243, 3, 1);
  auto face = noise(256, 256, 3, 2);
  auto face_box = box{97, 60, 214, 207};
  auto mask_box = box{45, 23, 266, 243};
  auto mask = soft_mask(mask_box.width(), mask_box.height());
  auto expected = paste_whole(frame, face, face_box, mask, mask_box);
  ASSERT_GT(largest_difference(frame, expected), 0);
  EXPECT_EQ(largest_difference(blended(frame, face, face_box, mask, mask_box), expected), 0);
}

TEST(FaceBlend, EqualsItForEveryWeight) {
  auto frame = noise(256, 256, 3, 3);
  auto face = noise(256, 256, 3, 4);
  auto whole = box{0, 0, 256, 256};
  auto mask = noise(256, 256, 1, 5);
  EXPECT_EQ(largest_difference(blended(frame, face, whole, mask, whole),
                               paste_whole(frame, face, whole, mask, whole)),
            0);
}

TEST(FaceBlend, EqualsItWhereBoxesReachOutOfTheFrame) {
  auto frame = noise(160, 120, 3, 6);
  auto face = noise(256, 256, 3, 7);
  auto face_box = box{-20, 15, 90, 140};
  auto mask_box = box{-60, -10, 130, 170};
  auto mask = noise(190, 180, 1, 8);
  EXPECT_EQ(largest_difference(blended(frame, face, face_box, mask, mask_box),
                               paste_whole(frame, face, face_box, mask, mask_box)),
            0);
}

TEST(FaceBlend, LooksOnlyAtWhatTheMaskLetsChange) {
  auto pixels = cv::Mat(100, 100, CV_8UC1, cv::Scalar{0});
  pixels(cv::Rect{40, 50, 10, 20}) = 255;
  auto area =
      find_blend_area(to_image(pixels), {100, 200, 200, 300}, {110, 210, 190, 265}, 640, 480);
  EXPECT_EQ(area.place, (box{140, 250, 150, 265}));
}

TEST(FaceBlend, LeavesTheFrameWhereTheMaskIsEmpty) {
  auto frame = noise(64, 64, 3, 9);
  auto whole = box{0, 0, 64, 64};
  auto after = blended(frame, noise(256, 256, 3, 10), whole, plain(64, 64, 0, 1), whole);
  EXPECT_EQ(largest_difference(frame, after), 0);
}

TEST(FaceBlend, LeavesTheFrameWhereTheFaceIsOutsideIt) {
  auto frame = noise(64, 64, 3, 11);
  auto outside = box{100, 100, 140, 140};
  auto after = blended(frame, noise(256, 256, 3, 12), outside, plain(40, 40, 255, 1), outside);
  EXPECT_EQ(largest_difference(frame, after), 0);
}

TEST(FaceBlend, RefusesAMaskOfAnotherSizeThanItsBox) {
  EXPECT_THROW(find_blend_area(plain(10, 10, 255, 1), {0, 0, 11, 10}, {0, 0, 10, 10}, 64, 64),
               error);
}

TEST(FaceBlend, RefusesAFrameThatTheAreaWasNotFoundFor) {
  auto area = find_blend_area(plain(64, 64, 255, 1), {0, 0, 64, 64}, {0, 0, 64, 64}, 64, 64);
  auto small = std::vector<uint8_t>(32 * 32 * 3);
  EXPECT_THROW(blend_face(plain(256, 256, 1), {0, 0, 64, 64}, area, small, 32, 32), error);
}
