#pragma once

#include "models/checkpoint/checkpoint.hpp"

#include <torch/nn/module.h>

#include <functional>
#include <optional>
#include <string>

namespace musetalk::models {

/// Where a network's weights shall live.
struct placement {
  at::Device device = at::kCPU;
  at::ScalarType dtype = at::kFloat; ///< Of floating-point weights.
  bool channels_last = true;         ///< Layout of 4-d weights; of their values nothing changes.
};

/// How the names of a file become the names of a network.
struct weight_names {
  /// The network's name of a tensor of the file; none when it is of another part and to be skipped.
  /// Empty function: names are the same. A prefix `module.` on every name is taken off before.
  std::function<std::optional<std::string>(const std::string&)> to_network;
  std::string network; ///< For messages: `VAE`, `UNet`, ...
  std::string source;  ///< For messages: where to get the file.
};

/// Copies a file's weights into a network, one tensor at a time, so that the process never holds
/// much more than the network. Every parameter and buffer must be there with its shape, and nothing
/// else.
/// @throws musetalk::error `models_invalid` whose detail lists what is missing, unexpected and
/// mis-shaped.
void load_weights(torch::nn::Module& network, checkpoint& source, const weight_names& names,
                  const placement& where);

/// Moves a network that has its values already.
void place(torch::nn::Module& network, const placement& where);

/// A tensor of a file as a tensor of LibTorch, with its strides; a copy.
at::Tensor to_tensor(checkpoint& source, const tensor_view& x);

/// Values of all parameters.
uint64_t parameter_count(const torch::nn::Module& network);

} // namespace musetalk::models
