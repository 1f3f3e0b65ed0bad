#pragma once

#include "models/networks/weight_loading.hpp"

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

namespace musetalk::models::bench {

/// A network of full size, ready to be timed.
struct subject {
  /// Runs one batch of hashed inputs, made before; returns the network's first output.
  std::function<at::Tensor(int64_t batch)> run;
  double gflop = 0;        ///< Per frame; of Whisper per 30 s of sound, of S3FD per 720p frame.
  uint64_t parameters = 0; ///< Values.
};

/// Names of what can be timed.
std::vector<std::string> subject_names();

/// Makes a network with hashed weights (seed 1), so that no files are needed and Python's networks
/// can be given the same ones. Not for the work of the product.
/// @param name One of `subject_names()`.
subject make_subject(const std::string& name, const placement& where);

/// The UNet of a checkpoint.
subject load_unet(const std::string& path, const placement& where);

} // namespace musetalk::models::bench
