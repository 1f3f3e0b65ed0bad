#include "pipeline/contact_sheet.hpp"

#include "errors/error.hpp"
#include "pipeline/face_overlay.hpp"
#include "tests/pipeline/pictures.hpp"

#include <gtest/gtest.h>

using namespace musetalk;
using namespace musetalk::pipeline;

namespace {

prepared_frame frame_of(int64_t index, int32_t width = 320, int32_t height = 180,
                        uint8_t gray = 40) {
  auto result = prepared_frame{};
  result.source = {index, plain(width, height, gray)};
  result.face_box = {40, 30, 100, 130};
  result.mask_box = {50, 80, 90, 120};
  result.mask = plain(40, 40, 255, 1);
  result.seen = plain_face(45.f, 95.f, 70.f, 125.f);
  return result;
}

image sheet_of(int32_t frames, sheet_config config) {
  auto sheet = contact_sheet{std::move(config)};
  for (auto i = 0; i < frames; ++i)
    sheet.add(frame_of(i));
  return sheet.draw();
}

cv::Vec3b pixel(const image& x, int32_t column, int32_t row) {
  return borrow(x).at<cv::Vec3b>(row, column);
}

cv::Vec3b bgr(overlay_colours::colour x) {
  return {x.blue, x.green, x.red};
}

int32_t count_of(const image& x, overlay_colours::colour colour) {
  auto found = cv::Mat{};
  cv::inRange(borrow(x), bgr(colour), bgr(colour), found);
  return cv::countNonZero(found);
}

} // namespace

TEST(Overlay, DrawsTheBoxInTheColourOfWhatHappened) {
  auto shown = frame_of(0);
  EXPECT_EQ(pixel(draw_overlay(shown), 40, 60), bgr(overlay_colours::seen));
  shown.held = true;
  EXPECT_EQ(pixel(draw_overlay(shown), 40, 60), bgr(overlay_colours::held));
}

TEST(Overlay, TintsWhereTheMaskIs) {
  auto shown = frame_of(0);
  shown.seen.reset();
  auto drawn = draw_overlay(shown);
  EXPECT_GT(pixel(drawn, 70, 100)[2], 120);
  EXPECT_EQ(pixel(drawn, 200, 100), cv::Vec3b(40, 40, 40));
}

TEST(Overlay, KeepsTheShapeOfThePicture) {
  auto drawn = draw_overlay(frame_of(0, 1080, 1920), 360);
  EXPECT_EQ(drawn.height, 360);
  EXPECT_EQ(drawn.width, 203);
}

TEST(Overlay, BearsFacesFarOutsideTheFrame) {
  auto shown = frame_of(0);
  shown.seen = plain_face(-4e9f, 5e9f, -3e9f, 8e9f);
  shown.mask_box = {-30, -30, 10, 10};
  EXPECT_EQ(draw_overlay(shown).width, 320);
}

TEST(ContactSheet, IsAsLargeForALongClipAsForAShortOne) {
  auto few = sheet_of(12, {});
  auto many = sheet_of(1000, {});
  EXPECT_EQ(few.width, many.width);
  EXPECT_EQ(few.height, many.height);
}

TEST(ContactSheet, ShowsTheWholeOfAShortClip) {
  // Each tile has one box, drawn with lines of equal length.
  auto one = count_of(sheet_of(1, {}), overlay_colours::seen);
  EXPECT_EQ(count_of(sheet_of(5, {}), overlay_colours::seen), 5 * one);
  EXPECT_EQ(count_of(sheet_of(500, {}), overlay_colours::seen), 12 * one);
}

TEST(ContactSheet, SpreadsItsFramesOverTheWholeClip) {
  auto sheet = contact_sheet{{.tiles = 2}};
  for (auto i = 0; i < 400; ++i)
    sheet.add(frame_of(i, 320, 180, i < 350 ? 40 : 200));
  // The second of the two tiles is of the clip's end.
  auto drawn = sheet.draw();
  auto bright = cv::Mat{};
  cv::inRange(borrow(drawn), cv::Scalar::all(200), cv::Scalar::all(200), bright);
  EXPECT_GT(cv::countNonZero(bright), 20000);
}

TEST(ContactSheet, PutsTheWatermarkOnABandOfItsOwn) {
  auto with = sheet_of(3, {.watermark = "synthetic weights"});
  auto without = sheet_of(3, {});
  EXPECT_GT(with.height, without.height);
  EXPECT_GT(pixel(with, 20, 20)[2], 180);
}

TEST(ContactSheet, TakesTilesOfDifferentShapes) {
  auto sheet = contact_sheet{{}};
  sheet.add(frame_of(0, 320, 180));
  sheet.add(frame_of(1, 180, 320));
  EXPECT_GT(sheet.draw().width, 360);
}

TEST(ContactSheet, NeedsAFrame) {
  EXPECT_THROW(contact_sheet{{}}.draw(), error);
}
