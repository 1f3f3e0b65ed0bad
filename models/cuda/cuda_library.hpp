#pragma once

#include "models/cuda/accelerator.hpp"

#include <memory>

namespace musetalk::models {

/// Opens a CUDA device through `libmusetalk_cuda.so`, which lies beside the program and brings the
/// CUDA half of LibTorch with it. Both are loaded at the first call and only on a machine with an
/// NVIDIA driver; LibTorch remembers the first question for a device, so nothing may ask before.
/// Networks on one device share one accelerator.
/// @param index Of the device, as CUDA counts.
/// @throws musetalk::error `device_failed`; its cause says why: no driver, a driver that is too
/// old, a library that is missing, no such device.
std::shared_ptr<accelerator> open_cuda(int index);

} // namespace musetalk::models
