#pragma once

#include "pipeline/prepared.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace musetalk::pipeline {

/// What computes, for health and logs.
struct device_report {
  std::string device;       ///< `cpu`, `cuda:0`.
  std::string name;         ///< Of the processor or card.
  std::string weights;      ///< `real` or `synthetic`.
  std::string dtype;        ///< `fp32`, `bf16`, `fp16`.
  int64_t memory_bytes = 0; ///< Of the card; 0 on a CPU.
};

/// Which networks to load and where to run them.
struct encoder_config {
  std::filesystem::path models_dir; ///< `MUSETALK_BASE/models`.
  bool synthetic = false;           ///< Small seeded random networks instead of weights.
  std::string device = "auto";      ///< auto, cpu, cuda:N.
  int32_t threads = 0;              ///< CPU threads; 0 = all cores.
};

/// Turns crops into VAE latents. Made and used on one thread: the device's.
class latent_encoder {
public:
  virtual ~latent_encoder() = default;

  /// @param crops Each 256 x 256 BGR.
  /// @returns One latent per crop, in order: posterior means, masked then reference (spec 1.4).
  /// @throws error `device_failed`, `device_out_of_memory`.
  virtual std::vector<latent> encode(std::span<const image> crops) = 0;

  virtual device_report report() const = 0;
};

using latent_encoder_factory = std::function<std::unique_ptr<latent_encoder>()>;

/// Loads the networks.
/// @throws error `models_missing`, `models_invalid`, `device_failed`.
std::unique_ptr<latent_encoder> open_latent_encoder(const encoder_config& config);

} // namespace musetalk::pipeline
