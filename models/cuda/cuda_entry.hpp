#pragma once

#include "models/cuda/accelerator.hpp"

/// What `libmusetalk_cuda.so` exports. Called through `dlsym` alone.

namespace musetalk::models {

inline constexpr auto cuda_library_name = "libmusetalk_cuda.so";

/// Raised with every change of `accelerator`.
inline constexpr int cuda_interface_version = 1;

} // namespace musetalk::models

extern "C" {

/// `cuda_interface_version` of the library's own build.
[[gnu::visibility("default")]] int musetalk_cuda_version();

/// Opens a device; the caller owns it.
/// @throws c10::Error that says why there is none: no driver, a driver that is too old, no such
/// index.
[[gnu::visibility("default")]] musetalk::models::accelerator* musetalk_cuda_open(int index);
}
