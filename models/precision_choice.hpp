#pragma once

#include "models/latent_encoder.hpp"

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>

namespace musetalk::models {

/// A number format, and what decided for it.
struct precision_choice {
  precision dtype = precision::float32;
  std::string reason; ///< For the log: `bf16 takes 21 ms where fp32 takes 45, and is 0.4 % off`.
};

/// A part of a network that stands for the whole, made in a number format and ready to be run.
using network_part = std::function<std::function<at::Tensor()>(at::ScalarType)>;

/// bf16 may be off from fp32 by this share of a part's output, as a whole (root mean square).
inline constexpr double bf16_bound = 0.02;

/// Runs a part in fp32 and in bf16 on this CPU, three times each but for at most about a second,
/// and chooses bf16 where the processor has it, it is a tenth quicker, and it keeps `bf16_bound`.
precision_choice choose_precision(const network_part& part);

} // namespace musetalk::models
