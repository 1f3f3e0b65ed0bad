#include "pipeline/face_crop.hpp"

#include "errors/error.hpp"
#include "pipeline/lanczos_resize.hpp"
#include "pipeline/opencv.hpp"
#include "pipeline/prepared.hpp"

namespace musetalk::pipeline {

image crop_face(const image& picture, const box& face_box) {
  auto source = borrow(picture);
  auto part = to_rect(face_box);
  if (picture.channels != 3 || part.empty() ||
      (part & cv::Rect{0, 0, picture.width, picture.height}) != part)
    throw error{errc::internal, "A face box leaves its frame or is empty, or the frame is gray."};
  return to_image(resize_lanczos(source(part), {crop_size, crop_size}));
}

} // namespace musetalk::pipeline
