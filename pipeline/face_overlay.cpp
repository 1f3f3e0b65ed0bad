#include "pipeline/face_overlay.hpp"

#include "pipeline/opencv.hpp"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace musetalk::pipeline {

namespace {

constexpr int subpixel_bits = 4;
constexpr double mask_strength = 0.55;

using colour = overlay_colours::colour;

cv::Scalar bgr(const colour& x) {
  return {double(x.blue), double(x.green), double(x.red)};
}

// From pixels of the frame to pixels of the drawing.
struct scaled {
  double factor;

  int length(int32_t x) const { return static_cast<int>(std::lround(x * factor)); }
  cv::Rect rect(const box& x) const {
    return {length(x.left), length(x.top), length(x.right) - length(x.left),
            length(x.bottom) - length(x.top)};
  }
  // With `subpixel_bits` of fraction.
  cv::Point at(const point& p) const {
    auto fixed = [&](float x) {
      auto far = 1e6; // what lies farther out is not drawn anyway
      auto pixels = std::clamp((x + 0.5) * factor - 0.5, -far, far);
      return static_cast<int>(std::lround(pixels * (1 << subpixel_bits)));
    };
    return {fixed(p.x), fixed(p.y)};
  }
};

// An area filter of a whole factor is many times faster in OpenCV than one of a fraction, so that a
// picture is halved as often as it can be before the rest is done.
cv::Mat resized(cv::Mat source, cv::Size size) {
  while (source.cols >= 2 * size.width && source.rows >= 2 * size.height) {
    auto half = cv::Mat{};
    auto even = cv::Rect{0, 0, source.cols & ~1, source.rows & ~1};
    cv::resize(source(even), half, even.size() / 2, 0, 0, cv::INTER_AREA);
    source = half;
  }
  if (source.size() == size)
    return source.clone();
  auto result = cv::Mat{};
  auto filter = size.width < source.cols ? cv::INTER_AREA : cv::INTER_CUBIC;
  cv::resize(source, result, size, 0, 0, filter);
  return result;
}

void tint(cv::Mat& canvas, const image& mask, cv::Rect place) {
  auto visible = place & cv::Rect{0, 0, canvas.cols, canvas.rows};
  if (visible.empty() || !mask.pixels)
    return;
  auto fitted = cv::Mat{};
  cv::resize(borrow(mask), fitted, place.size(), 0, 0, cv::INTER_AREA);
  auto strength = cv::Mat{fitted(visible - place.tl())};
  auto part = canvas(visible);
  auto full =
      cv::Vec3i{overlay_colours::mask.blue, overlay_colours::mask.green, overlay_colours::mask.red};
  for (auto y = 0; y < part.rows; ++y)
    for (auto x = 0; x < part.cols; ++x) {
      auto& pixel = part.at<cv::Vec3b>(y, x);
      auto share = mask_strength * strength.at<uint8_t>(y, x) / 255.;
      for (auto c = 0; c < 3; ++c)
        pixel[c] = cv::saturate_cast<uint8_t>(pixel[c] + (full[c] - pixel[c]) * share);
    }
}

void draw_points(cv::Mat& canvas, const face& found, const scaled& to, int line) {
  auto outline = std::vector<cv::Point>{};
  for (auto p : found.outline)
    outline.push_back(to.at(p));
  if (!outline.empty())
    cv::polylines(canvas, outline, true, bgr(overlay_colours::lines), line, cv::LINE_AA,
                  subpixel_bits);
  auto radius =
      std::max(1., 0.0035 * std::max(canvas.cols, canvas.rows)) * (1 << subpixel_bits) / 1.4;
  for (auto p : found.landmarks)
    cv::circle(canvas, to.at(p), static_cast<int>(radius), bgr(overlay_colours::lines), cv::FILLED,
               cv::LINE_AA, subpixel_bits);
}

} // namespace

image draw_overlay(const prepared_frame& shown, int32_t longer_side) {
  auto source = borrow(shown.source.picture);
  auto own_side = std::max(source.cols, source.rows);
  auto to = scaled{longer_side > 0 ? static_cast<double>(longer_side) / own_side : 1.};
  auto size = cv::Size{std::max(1, to.length(source.cols)), std::max(1, to.length(source.rows))};
  auto canvas = resized(source, size);
  auto line = std::max(1, static_cast<int>(std::lround(std::max(size.width, size.height) / 480.)));
  tint(canvas, shown.mask, to.rect(shown.mask_box));
  if (shown.seen)
    draw_points(canvas, *shown.seen, to, line);
  cv::rectangle(canvas, to.rect(shown.face_box),
                bgr(shown.held ? overlay_colours::held : overlay_colours::seen), line + 1);
  return to_image(canvas);
}

} // namespace musetalk::pipeline
