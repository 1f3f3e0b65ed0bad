#pragma once

#include <ATen/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace musetalk::models::testing {

/// The picture that goldens are made of: ramps, a disc and a little noise, in integer arithmetic.
/// @returns `[height, width, 3]` uint8.
at::Tensor synthetic_image(const std::string& name, int64_t height, int64_t width, uint64_t seed);

/// The sound that goldens are made of: triangle waves and a little noise, in integer arithmetic.
/// @returns 16-bit samples at 16 kHz.
std::vector<int16_t> synthetic_audio(int64_t samples, uint64_t seed);

} // namespace musetalk::models::testing
