#pragma once

#include "models/cuda/accelerator.hpp"
#include "models/latent_encoder.hpp"
#include "models/networks/weight_loading.hpp"
#include "models/precision_choice.hpp"

#include <functional>
#include <memory>
#include <string>

namespace musetalk::models {

/// Where one network runs.
struct opened_device {
  placement where;
  std::string name; ///< Of the card; empty on a CPU.
  precision dtype = precision::float32;
  std::shared_ptr<accelerator> gpu; ///< Null on a CPU.
  std::string note;                 ///< Why `auto` took the CPU, what decided the format; or empty.
};

/// Finds the device that the options ask for. The CUDA half of LibTorch is loaded here, at run
/// time, and only when a device is wanted and the machine has a driver. Sets LibTorch's number of
/// CPU threads.
/// @param part Decides between fp32 and bf16 on a CPU where the options leave that open; without
/// one it is fp32.
/// @throws musetalk::error `device_failed` when the wanted device cannot be had; `settings_invalid`
/// for a name that is
///         none of `auto`, `cpu`, `cuda:<n>`.
opened_device open_device(const load_options& options, const network_part& part = {});

/// Runs work and turns what LibTorch throws into ours: for loading, before there is a device.
/// @throws musetalk::error `device_out_of_memory` or `device_failed`; those of `work` pass.
void on_device(const std::function<void()>& work);

/// Runs work with the device's compute queue as the current one, and turns what LibTorch throws
/// into ours.
/// @throws as above, and `device_lost` when the device will not work again in this process.
void on_device(const opened_device& device, const std::function<void()>& work);

} // namespace musetalk::models
