#pragma once

#include "pipeline/image.hpp"

namespace musetalk::pipeline {

/// The picture inside `face_box`, 256 x 256 BGR, by cv::resize with INTER_LANCZOS4.
/// @param face_box Inside the picture and not empty (`ruled_box::clamped`).
/// @throws error `internal` otherwise.
image crop_face(const image& picture, const box& face_box);

} // namespace musetalk::pipeline
