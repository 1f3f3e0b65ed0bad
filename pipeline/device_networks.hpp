#pragma once

#include "pipeline/face_analysis.hpp"
#include "pipeline/face_methods.hpp"
#include "pipeline/prepared.hpp"
#include "pipeline/speech.hpp"

#include <cstddef>
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
  std::string dtype;        ///< `fp32`, `bf16`, `fp16`: of the encoder.
  int64_t memory_bytes = 0; ///< Of the card; 0 on a CPU.
  std::string note;         ///< For the log, such as why `auto` took the CPU; or empty.
};

/// Which networks to load and where to run them.
struct networks_config {
  std::filesystem::path models_dir; ///< `MUSETALK_BASE/models`.
  bool synthetic = false;           ///< Small seeded random networks instead of weights.
  std::string device = "auto";      ///< auto, cpu, cuda:N.
  int32_t threads = 0;              ///< CPU threads; 0 = all cores.
  face_methods faces;               ///< What these do not need is not loaded.
  bool speak = false;               ///< Load the networks that speak.
};

/// Executions that can be under way on a device at once: while one computes, the next is on its way
/// in or the one before on its way out.
inline constexpr size_t max_executions = 2;

/// All networks of one device. Made and used on one thread: the device's. A network that was not
/// loaded answers `internal`.
class device_networks : public face_analysis, public sound_analysis {
public:
  /// Turns crops into VAE latents.
  /// @param crops Each 256 x 256 BGR.
  /// @returns One latent per crop, in order: posterior means, masked then reference (spec 1.4).
  /// @throws error `device_failed`, `device_lost`, `device_out_of_memory`.
  virtual std::vector<latent> encode(std::span<const image> crops) = 0;

  /// Makes faces that speak.
  /// @returns One face per request, in order: 256 x 256 BGR.
  /// @throws error `device_failed`, `device_lost`, `device_out_of_memory`.
  virtual std::vector<image> generate(std::span<const lip_request> requests) = 0;

  /// Pictures that `begin_*` takes at most; 0 when executions do not overlap here, as on a CPU:
  /// then there are only the functions that wait.
  virtual size_t most_begun() const { return 0; }

  /// Begins what `encode` or `generate` does and returns. `max_executions` can be under way;
  /// meanwhile nothing but `begin_*` and `finish_*` is called.
  /// @throws error as `encode`; the execution has not begun then.
  virtual void begin_encode(std::span<const image> crops);
  virtual void begin_generate(std::span<const lip_request> requests);

  /// Waits for the oldest execution under way, which the `begin_*` of this kind began.
  /// @throws error as `encode`; the execution is gone then.
  virtual std::vector<latent> finish_encode();
  virtual std::vector<image> finish_generate();

  /// Makes ready for executions of up to `most` pictures: every network runs, so that no job pays
  /// for what its first use costs. On a CPU one picture is enough.
  /// @throws error `device_failed`, `device_lost`, `device_out_of_memory` when not even one fits.
  virtual void warm_up(size_t most) = 0;

  /// The smallest execution there is. A device that fails this is gone.
  /// @throws error as `encode`.
  virtual void try_out() = 0;

  virtual device_report report() const = 0;
};

using device_networks_factory = std::function<std::unique_ptr<device_networks>()>;

/// Loads the networks.
/// @throws error `models_missing`, `models_invalid`, `device_failed`.
std::unique_ptr<device_networks> open_device_networks(const networks_config& config);

} // namespace musetalk::pipeline
