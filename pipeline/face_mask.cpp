#include "pipeline/face_mask.hpp"

#include "errors/error.hpp"
#include "pipeline/box_rule.hpp"
#include "pipeline/mask_blur.hpp"
#include "pipeline/opencv.hpp"
#include "pipeline/pillow_resize.hpp"

#include <algorithm>
#include <cmath>

namespace musetalk::pipeline {

namespace {

constexpr double expand = 1.5;
constexpr double upper_share = 0.5; // rows of the crop box that are left as they are
constexpr double blur_share = 0.1;

// Rounds down, as Python's // does.
int32_t halve(int32_t x) {
  return x >> 1;
}

int32_t blur_size(int32_t side) {
  return static_cast<int32_t>(std::floor(blur_share * side / 2) * 2) + 1;
}

box intersect(const box& a, const box& b) {
  return {std::max(a.left, b.left), std::max(a.top, b.top), std::min(a.right, b.right),
          std::min(a.bottom, b.bottom)};
}

box moved(const box& x, int32_t right, int32_t down) {
  return {x.left + right, x.top + down, x.right + right, x.bottom + down};
}

box grown(const box& x, int32_t by) {
  return {x.left - by, x.top - by, x.right + by, x.bottom + by};
}

bool empty(const box& x) {
  return x.width() < 1 || x.height() < 1;
}

} // namespace

box mask_crop_box(const box& face_box) {
  auto x = halve(face_box.left + face_box.right);
  auto y = halve(face_box.top + face_box.bottom);
  auto reach = static_cast<int32_t>(halve(std::max(face_box.width(), face_box.height())) * expand);
  return {x - reach, y - reach, x + reach, y + reach};
}

face_mask mask_from_parsing(const image& parsing, const box& face_box, int32_t width,
                            int32_t height) {
  auto crop_box = mask_crop_box(face_box);
  auto place = clamp_to_frame(crop_box, width, height);
  if (empty(face_box) || empty(place))
    throw error{errc::internal, "A mask for a face box that is empty or outside its frame."};
  // From here on in pixels of the crop box.
  auto side = crop_box.width();
  auto all = box{0, 0, side, side};
  auto kept = intersect(moved(face_box, -crop_box.left, -crop_box.top), all);
  kept.top = std::max(kept.top, static_cast<int32_t>(side * upper_share));
  auto mask = cv::Mat{side, side, CV_8U, cv::Scalar::all(0)};
  if (!empty(kept)) {
    auto part = pillow_resize_part(parsing, side, side, pillow_filter::bicubic, kept);
    borrow(part).copyTo(mask(to_rect(kept)));
    // Only what the blur can reach is blurred; one pixel more on each side keeps what the border
    // mirrors black.
    auto k = blur_size(side);
    auto reached = to_rect(intersect(grown(kept, k / 2 + 1), all));
    blur_mask(mask(reached), k).copyTo(mask(reached));
  }
  return {place, to_image(mask(to_rect(moved(place, -crop_box.left, -crop_box.top))))};
}

face_mask mask_from_face(const face& found, const box& face_box, int32_t width, int32_t height,
                         parsing_mode mode) {
  auto parsing = mask_of_classes(parsing_from_face(found, mask_crop_box(face_box)), mode);
  return mask_from_parsing(parsing, face_box, width, height);
}

} // namespace musetalk::pipeline
