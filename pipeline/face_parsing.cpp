#include "pipeline/face_parsing.hpp"

#include "errors/error.hpp"
#include "pipeline/opencv.hpp"
#include "pipeline/pillow_resize.hpp"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <vector>

namespace musetalk::pipeline {

namespace {

constexpr int32_t cheek_width = 90;
constexpr int32_t subpixel_bits = 4;

constexpr size_t nose_root = 27;
constexpr size_t right_nostril = 31; // the person's right, left in the picture
constexpr size_t nose_base = 33;
constexpr size_t left_nostril = 35;

using polygon = std::vector<point>;

point from(point a, point b, float share) {
  return {a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share};
}

// The 68 points know the nostrils but not the wings, so those are put where they usually are: a
// little wider than the nostrils and a little higher.
polygon nose_of(const face& found) {
  auto root = found.landmarks[nose_root];
  auto base = found.landmarks[nose_base];
  // `width` in nostrils from the middle of the nose, `height` from its base (0) to its root (1).
  auto at = [&](size_t nostril, float width, float height) {
    auto side = from(base, found.landmarks[nostril], width);
    return point{side.x + (root.x - base.x) * height, side.y + (root.y - base.y) * height};
  };
  return {at(right_nostril, 0.5f, 1.f),
          at(right_nostril, 1.1f, 0.35f),
          at(right_nostril, 1.4f, 0.15f),
          found.landmarks[right_nostril],
          found.landmarks[32],
          base,
          found.landmarks[34],
          found.landmarks[left_nostril],
          at(left_nostril, 1.4f, 0.15f),
          at(left_nostril, 1.1f, 0.35f),
          at(left_nostril, 0.5f, 1.f)};
}

polygon corners(const face& found, std::initializer_list<size_t> indices) {
  auto result = polygon{};
  for (auto i : indices)
    result.push_back(found.landmarks[i]);
  return result;
}

void fill(cv::Mat& map, const polygon& shape, const box& crop_box, face_class value) {
  auto scale_x = static_cast<double>(parsing_size) / crop_box.width();
  auto scale_y = static_cast<double>(parsing_size) / crop_box.height();
  auto fixed = [](double x) {
    constexpr auto far = 64. * parsing_size; // what lies farther out is not seen anyway
    return static_cast<int>(std::lround(std::clamp(x, -far, far) * (1 << subpixel_bits)));
  };
  auto points = std::vector<cv::Point>{};
  for (auto p : shape)
    points.emplace_back(fixed((p.x + 0.5 - crop_box.left) * scale_x - 0.5),
                        fixed((p.y + 0.5 - crop_box.top) * scale_y - 0.5));
  cv::fillPoly(map, std::vector{points}, cv::Scalar::all(static_cast<int>(value)), cv::LINE_8,
               subpixel_bits);
}

// MuseTalk's 33 x 33 element: a cone of 11 rows, one pixel wide at its top, over 12 rows as wide as
// its base; it reaches 6 rows up and 16 down. That is ten small cones and a column of 13, which is
// many times faster and the same to the last pixel.
cv::Mat grow_to_the_jaw(const cv::Mat& skin) {
  constexpr auto reach = 6;
  constexpr auto cones = 10;
  static const auto cone = cv::Mat{cv::Matx<uint8_t, 2, 3>{0, 1, 0, 1, 1, 1}};
  // What grows beyond the upper edge must be able to come back down.
  auto rows = cv::Mat{};
  cv::copyMakeBorder(skin, rows, reach, reach, 0, 0, cv::BORDER_CONSTANT, 0);
  cv::dilate(rows, rows, cone, {1, 0}, cones);
  // Each row becomes the highest of itself and those below it: of 2, 4, 8 and 13 rows. All is 0 or
  // 255, so an or is the highest.
  for (auto step : {1, 2, 4, 5}) {
    auto highest = cv::Mat{};
    cv::bitwise_or(rows.rowRange(0, rows.rows - step), rows.rowRange(step, rows.rows), highest);
    rows = highest;
  }
  return rows;
}

// Twice MuseTalk's flat ellipse of 35 x 3, which is a cross. Beyond the border nothing eats in.
cv::Mat shrink_the_cheeks(const cv::Mat& region) {
  static const auto across = cv::Mat::ones(1, 35, CV_8U);
  auto result = region;
  for (auto i = 0; i < 2; ++i) {
    auto before = result;
    result = cv::Mat{};
    cv::erode(before, result, across);
    auto upper = cv::Range{0, before.rows - 1};
    auto lower = cv::Range{1, before.rows};
    cv::bitwise_and(result.rowRange(lower), before.rowRange(upper), result.rowRange(lower));
    cv::bitwise_and(result.rowRange(upper), before.rowRange(lower), result.rowRange(upper));
  }
  return result;
}

void require_map(const image& classes) {
  if (classes.width != parsing_size || classes.height != parsing_size || classes.channels != 1)
    throw error{errc::internal, "A class map is not 512 x 512."};
}

// From the first lip to the last: the inside of the mouth lies with them.
cv::Mat mouth_of(const cv::Mat& map) {
  auto result = cv::Mat{};
  cv::inRange(map, static_cast<int>(face_class::mouth), static_cast<int>(face_class::lower_lip),
              result);
  return result;
}

} // namespace

image parsing_picture(const image& picture, const box& crop_box) {
  if (crop_box.width() < 1 || crop_box.height() < 1)
    throw error{errc::internal, "An empty crop box cannot be parsed."};
  auto visible = to_rect(crop_box) & cv::Rect{0, 0, picture.width, picture.height};
  auto square = cv::Mat{crop_box.height(), crop_box.width(), CV_8UC3, cv::Scalar::all(0)};
  if (!visible.empty())
    borrow(picture)(visible).copyTo(square(visible - cv::Point{crop_box.left, crop_box.top}));
  return pillow_resize(to_image(square), parsing_size, parsing_size, pillow_filter::bilinear);
}

image parsing_from_face(const face& found, const box& crop_box) {
  if (found.outline.empty() || crop_box.width() < 1 || crop_box.height() < 1)
    throw error{errc::internal, "A face without an outline, or an empty crop box, gives no mask."};
  auto map = cv::Mat{parsing_size, parsing_size, CV_8U, cv::Scalar::all(0)};
  fill(map, found.outline, crop_box, face_class::skin);
  fill(map, nose_of(found), crop_box, face_class::nose);
  fill(map, corners(found, {48, 49, 50, 51, 52, 53, 54, 64, 63, 62, 61, 60}), crop_box,
       face_class::upper_lip);
  fill(map, corners(found, {54, 55, 56, 57, 58, 59, 48, 60, 67, 66, 65, 64}), crop_box,
       face_class::lower_lip);
  fill(map, corners(found, {60, 61, 62, 63, 64, 65, 66, 67}), crop_box, face_class::mouth);
  return to_image(map);
}

image jaw_mask(const image& classes) {
  require_map(classes);
  auto map = borrow(classes);
  auto grown = grow_to_the_jaw(map == static_cast<int>(face_class::skin));
  auto region = shrink_the_cheeks(grown);
  // Between the cheeks the grown region counts, on them the shrunk one.
  auto chin = cv::Range{parsing_size / 2 - cheek_width + 1, parsing_size / 2 + cheek_width};
  grown.colRange(chin).copyTo(region.colRange(chin));
  region.setTo(0, map == static_cast<int>(face_class::nose));
  region |= mouth_of(map);
  return to_image(region);
}

image mask_of_classes(const image& classes, parsing_mode mode) {
  if (mode == parsing_mode::jaw)
    return jaw_mask(classes);
  require_map(classes);
  auto map = borrow(classes);
  auto mask = cv::Mat{mouth_of(map) | (map == static_cast<int>(face_class::skin))};
  if (mode == parsing_mode::neck)
    mask |= map == static_cast<int>(face_class::neck);
  return to_image(mask);
}

} // namespace musetalk::pipeline
