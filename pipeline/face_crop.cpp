#include "pipeline/face_crop.hpp"

#include "errors/error.hpp"
#include "pipeline/opencv.hpp"
#include "pipeline/prepared.hpp"

#include <opencv2/imgproc.hpp>

namespace musetalk::pipeline {

image crop_face(const image& picture, const box& face_box) {
  auto source = borrow(picture);
  auto part = to_rect(face_box);
  if (part.empty() || (part & cv::Rect{0, 0, picture.width, picture.height}) != part)
    throw error{errc::internal, "A face box leaves its frame or is empty."};
  auto result = cv::Mat{};
  cv::resize(source(part), result, {crop_size, crop_size}, 0, 0, cv::INTER_LANCZOS4);
  return to_image(result);
}

} // namespace musetalk::pipeline
