#include "pipeline/face_mask.hpp"

#include "errors/error.hpp"
#include "tests/pipeline/pictures.hpp"

#include <gtest/gtest.h>

using namespace musetalk;
using namespace musetalk::pipeline;

namespace {

box to_box(const nlohmann::json& x) {
  return {x[0].get<int>(), x[1].get<int>(), x[2].get<int>(), x[3].get<int>()};
}

} // namespace

TEST(FaceMask, TakesTheCropBoxOfTheExample) {
  EXPECT_EQ(mask_crop_box({61, 0, 277, 318}), (box{-69, -79, 407, 397}));
}

TEST(FaceMask, RoundsTheMiddleOfANegativeBoxDown) {
  EXPECT_EQ(mask_crop_box({-21, 0, 10, 10}), (box{-28, -17, 16, 27}));
}

TEST(FaceMask, EqualsPillowAndOpencvBitForBit) {
  auto parsing = load_picture(golden("pillow/jaw.png"));
  auto cases = load_json(golden("pillow/masks.json"))["masks"];
  ASSERT_EQ(cases.size(), 6u);
  for (auto i = size_t{0}; i < cases.size(); ++i) {
    SCOPED_TRACE(i);
    auto face_box = to_box(cases[i]["face_box"]);
    auto made = mask_from_parsing(parsing, face_box, cases[i]["frame"][0], cases[i]["frame"][1]);
    EXPECT_EQ(mask_crop_box(face_box), to_box(cases[i]["crop_box"]));
    EXPECT_EQ(made.place, to_box(cases[i]["place"]));
    auto expected = load_picture(golden("pillow/mask_" + std::to_string(i) + ".png"));
    EXPECT_EQ(largest_difference(made.mask, expected), 0);
  }
}

TEST(FaceMask, CoversTheMouthAndLeavesTheForeheadAlone) {
  auto shape = plain_face(100.f, 200.f, 120.f, 180.f);
  for (auto i = 48; i < 68; ++i)
    shape.landmarks[i] = {140.f + (i % 7) * 3.f, 158.f};
  auto made = mask_from_face(shape, {100, 60, 200, 190}, 640, 480);
  auto at = [&](int32_t x, int32_t y) {
    return int{made.mask.row(y - made.place.top)[x - made.place.left]};
  };
  EXPECT_GT(at(150, 165), 200);
  EXPECT_EQ(at(150, 70), 0);
  EXPECT_EQ(at(90, 130), 0);
}

TEST(FaceMask, RefusesAnEmptyFaceBox) {
  EXPECT_THROW(mask_from_parsing(plain(512, 512, 255, 1), {10, 10, 10, 40}, 64, 64), error);
}

TEST(FaceMask, RefusesAFaceOutsideItsFrame) {
  EXPECT_THROW(mask_from_parsing(plain(512, 512, 255, 1), {500, 10, 540, 60}, 64, 64), error);
}
