#pragma once

#include <cstdint>

namespace musetalk::pipeline {

/// Sets how many threads one call of OpenCV may use, for the whole process. Called once, by its
/// main, before anything computes.
/// @param threads 0 leaves OpenCV's own choice: all cores.
void set_picture_threads(int32_t threads);

} // namespace musetalk::pipeline
