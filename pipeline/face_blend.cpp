#include "pipeline/face_blend.hpp"

#include "errors/error.hpp"
#include "pipeline/opencv.hpp"

#include <opencv2/imgproc.hpp>

#include <vector>

namespace musetalk::pipeline {

namespace {

// Pillow's rounded division by 255. No step leaves 16 bits, so that the compiler makes vectors of
// it.
void blend_row(uint8_t* __restrict frame, const uint8_t* __restrict face,
               const uint8_t* __restrict mask, size_t bytes) {
  for (auto i = size_t{0}; i < bytes; ++i) {
    auto m = uint16_t{mask[i]};
    auto sum = static_cast<uint16_t>(frame[i] * (255 - m) + face[i] * m + 128);
    frame[i] = static_cast<uint8_t>(static_cast<uint16_t>((sum >> 8) + sum) >> 8);
  }
}

} // namespace

blend_area find_blend_area(const image& mask, const box& mask_box, const box& face_box,
                           int32_t width, int32_t height) {
  if (mask.width != mask_box.width() || mask.height != mask_box.height() || mask.channels != 1)
    throw error{errc::avatar_damaged, "A mask is not of the size of its box."};
  auto frame = cv::Rect{0, 0, width, height};
  auto within = frame & to_rect(mask_box) & to_rect(face_box);
  if (within.empty())
    return {};
  auto corner = cv::Point{mask_box.left, mask_box.top};
  auto seen = cv::boundingRect(borrow(mask)(within - corner));
  if (seen.empty())
    return {};
  seen += within.tl();
  return {{seen.x, seen.y, seen.x + seen.width, seen.y + seen.height},
          to_image(borrow(mask)(seen - corner))};
}

void blend_face(const image& face, const box& face_box, const blend_area& area,
                std::span<uint8_t> frame, int32_t width, int32_t height) {
  auto place = to_rect(area.place);
  if (place.empty())
    return;
  if ((place & cv::Rect{0, 0, width, height}) != place ||
      frame.size() != static_cast<size_t>(width) * height * 3)
    throw error{errc::internal, "A blend area does not fit its frame."};
  auto resized = cv::Mat{};
  cv::resize(borrow(face), resized, {face_box.width(), face_box.height()}, 0, 0, cv::INTER_LINEAR);
  auto part = resized(place - cv::Point{face_box.left, face_box.top});
  auto row_bytes = static_cast<size_t>(place.width) * 3;
  auto mask = cv::Mat{};
  cv::cvtColor(borrow(area.mask), mask, cv::COLOR_GRAY2BGR); // one weight for each byte of a row
  for (auto y = 0; y < place.height; ++y)
    blend_row(frame.data() + ((static_cast<size_t>(place.y) + y) * width + place.x) * 3,
              part.ptr(y), mask.ptr(y), row_bytes);
}

} // namespace musetalk::pipeline
