#include "pipeline/face_parsing.hpp"

#include "errors/error.hpp"
#include "pipeline/face_landmarks.hpp"
#include "pipeline/face_mask.hpp"
#include "pipeline/pillow_resize.hpp"
#include "tests/pipeline/pictures.hpp"

#include <gtest/gtest.h>

#include <algorithm>

using namespace musetalk;
using namespace musetalk::pipeline;

TEST(JawMask, EqualsTheReferenceOfTheFullElement) {
  auto classes = load_picture(golden("pillow/classes.png"));
  auto expected = load_picture(golden("pillow/jaw.png"));
  EXPECT_EQ(largest_difference(jaw_mask(classes), expected), 0);
}

TEST(JawMask, RefusesAnotherSize) {
  EXPECT_THROW(jaw_mask(plain(256, 256, 1, 1)), error);
}

TEST(MaskOfClasses, IsTheJawMaskInThatMode) {
  auto classes = load_picture(golden("pillow/classes.png"));
  EXPECT_EQ(largest_difference(mask_of_classes(classes, parsing_mode::jaw), jaw_mask(classes)), 0);
}

// The other modes are lists of classes: every class there is, in one map.
TEST(MaskOfClasses, TakesTheClassesOfItsMode) {
  auto pixels = std::vector<uint8_t>(size_t{parsing_size} * parsing_size);
  for (auto i = size_t{0}; i < pixels.size(); ++i)
    pixels[i] = static_cast<uint8_t>(i % 19);
  auto classes = image{parsing_size, parsing_size, 1, share(pixels)};
  auto raw = mask_of_classes(classes, parsing_mode::raw);
  auto neck = mask_of_classes(classes, parsing_mode::neck);
  for (auto i = size_t{0}; i < pixels.size(); ++i) {
    auto one_of = [&](std::initializer_list<int> known) {
      return std::ranges::find(known, pixels[i]) != known.end() ? 255 : 0;
    };
    ASSERT_EQ((*raw.pixels)[i], one_of({1, 11, 12, 13})) << int{pixels[i]};
    ASSERT_EQ((*neck.pixels)[i], one_of({1, 11, 12, 13, 14})) << int{pixels[i]};
  }
}

TEST(MaskOfClasses, RefusesAnotherSize) {
  EXPECT_THROW(mask_of_classes(plain(256, 256, 1, 1), parsing_mode::raw), error);
  EXPECT_THROW(mask_of_classes(plain(512, 512, 1, 3), parsing_mode::neck), error);
}

TEST(ParsingPicture, IsTheCropBoxAsPillowMakesIt) {
  auto source = load_picture(golden("pillow/source_RGB.png"));
  auto whole = box{0, 0, source.width, source.height};
  EXPECT_EQ(largest_difference(parsing_picture(source, whole),
                               pillow_resize(source, 512, 512, pillow_filter::bilinear)),
            0);
}

TEST(ParsingPicture, IsBlackBeyondTheFrame) {
  auto shown = parsing_picture(plain(512, 512, 200), {-256, -128, 256, 384});
  EXPECT_EQ(shown.width, parsing_size);
  auto at = [&](int32_t x, int32_t y) {
    return int{shown.row(y)[x * 3]};
  };
  EXPECT_EQ(at(255, 300), 0);
  EXPECT_EQ(at(256, 300), 200);
  EXPECT_EQ(at(300, 127), 0);
  EXPECT_EQ(at(300, 128), 200);
  // Wholly beside the frame: all black.
  EXPECT_EQ(
      largest_difference(parsing_picture(plain(64, 64, 200), {70, 0, 90, 20}), plain(512, 512, 0)),
      0);
  EXPECT_THROW(parsing_picture(plain(64, 64, 200), {5, 5, 5, 9}), error);
}

TEST(ParsingFromFace, PutsNoseAndLipsOnSkin) {
  // A face that fills the square from 100 to 300.
  auto shape = plain_face(100.f, 300.f, 180.f, 290.f);
  auto put = [&](size_t i, float x, float y) {
    shape.landmarks[i] = {x, y};
  };
  put(27, 200.f, 160.f);
  put(31, 185.f, 215.f);
  put(32, 192.f, 218.f);
  put(33, 200.f, 220.f);
  put(34, 208.f, 218.f);
  put(35, 215.f, 215.f);
  auto across = [&](size_t first, size_t last, float from, float to, float y) {
    for (auto i = first; i <= last; ++i)
      put(i, from + (to - from) * static_cast<float>(i - first) / static_cast<float>(last - first),
          y);
  };
  across(48, 54, 170.f, 230.f, 240.f); // upper lip, its ends the corners
  across(55, 59, 220.f, 180.f, 260.f);
  across(60, 64, 175.f, 225.f, 245.f);
  across(65, 67, 215.f, 185.f, 255.f);
  auto map = parsing_from_face(shape, {100, 100, 300, 300});
  auto at = [&](float x, float y) {
    auto to_map = [](float v) {
      return static_cast<int32_t>((v - 100.f) * 512.f / 200.f);
    };
    return static_cast<face_class>(map.row(to_map(y))[to_map(x)]);
  };
  EXPECT_EQ(at(200.f, 250.f), face_class::mouth);
  EXPECT_EQ(at(200.f, 242.5f), face_class::upper_lip);
  EXPECT_EQ(at(200.f, 257.f), face_class::lower_lip);
  EXPECT_EQ(at(200.f, 205.f), face_class::nose);
  EXPECT_EQ(at(150.f, 205.f), face_class::skin);
  EXPECT_EQ(at(105.f, 105.f), face_class::background);
}

TEST(ParsingFromFace, RefusesAFaceWithoutAnOutline) {
  auto shape = plain_face(100.f, 300.f, 180.f, 290.f);
  shape.outline.clear();
  EXPECT_THROW(parsing_from_face(shape, {100, 100, 300, 300}), error);
}
