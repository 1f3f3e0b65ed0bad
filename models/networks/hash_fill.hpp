#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <torch/nn/module.h>

namespace musetalk::models {

/// Weights without files: every value is a hash of its parameter's name, its index and a seed, so
/// that each machine makes the same ones. The synthetic networks are filled with it, and the
/// full-size goldens.

/// FNV-1a, 64 bits.
uint64_t fnv1a64(std::string_view text) noexcept;

/// Value `i` of the stream that starts at `state`: splitmix64.
constexpr uint64_t hash_at(uint64_t state, uint64_t i) noexcept {
  auto z = state + (i + 1) * 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

/// Uniform in [-1, 1), exact in fp32.
constexpr float uniform_of(uint64_t hash) noexcept {
  return static_cast<float>(hash >> 40) * 0x1p-23f - 1.f;
}

/// Values of a weight of that name and shape. The distribution follows from the name (norms around
/// one, biases small, matrices by fan-in), as `tests/golden/README.md` states.
/// @param gain Variance of an output relative to an input's for matrices and convolutions.
std::vector<float> hashed_weight(std::string_view name, const std::vector<int64_t>& shape,
                                 uint64_t seed, double gain);

/// `scale * u(i)` of the name `input.<name>`.
std::vector<float> hashed_input(std::string_view name, size_t count, uint64_t seed, float scale);

/// Fills every parameter and buffer of a network by its name.
/// @param prefix Put before each name first.
void hash_fill(torch::nn::Module& network, uint64_t seed, double gain,
               std::string_view prefix = {});

} // namespace musetalk::models
