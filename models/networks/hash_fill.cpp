#include "models/networks/hash_fill.hpp"

#include <ATen/ops/from_blob.h>

#include <cmath>
#include <string>

namespace musetalk::models {

namespace {

/// value = centre + scale * u
struct distribution {
  float centre = 0.f;
  float scale = 0.f;
};

distribution distribution_of(std::string_view name, const std::vector<int64_t>& shape,
                             double gain) {
  auto last = name.substr(name.rfind('.') + 1);
  auto any_of = [](std::string_view x, std::initializer_list<std::string_view> list) {
    return std::find(list.begin(), list.end(), x) != list.end();
  };
  if (last == "num_batches_tracked")
    return {0.f, 0.f};
  if (last == "running_mean")
    return {0.f, 1.f / 8};
  if (last == "running_var")
    return {1.f, 1.f / 4};
  if (name.ends_with("embed_positions.weight"))
    return {0.f, 1.f / 2};
  if (any_of(last, {"gamma", "g", "scale"}))
    return {1.f, 1.f / 8};
  if (last == "beta")
    return {0.f, 1.f / 8};
  if (last == "bias")
    return {0.f, 1.f / 16};
  if (shape.size() == 1)
    return name.starts_with("conv") && name.ends_with("_norm.weight") ? distribution{8.f, 1.f}
                                                                      : distribution{1.f, 1.f / 8};
  if (name == "conv1_1.weight")
    gain /= 4096;
  if (name.find("_mbox_") != std::string_view::npos)
    gain = 0.5;
  if (name.ends_with("gau.uv.weight"))
    gain = 0.25;
  auto fan_in = 1.0;
  for (size_t i = 1; i < shape.size(); ++i)
    fan_in *= static_cast<double>(shape[i]);
  return {0.f, static_cast<float>(std::sqrt(3.0 * gain / fan_in))};
}

} // namespace

uint64_t fnv1a64(std::string_view text) noexcept {
  auto h = uint64_t{0xCBF29CE484222325};
  for (auto c : text)
    h = (h ^ static_cast<uint8_t>(c)) * 0x100000001B3u;
  return h;
}

std::vector<float> hashed_weight(std::string_view name, const std::vector<int64_t>& shape,
                                 uint64_t seed, double gain) {
  auto count = size_t{1};
  for (auto n : shape)
    count *= static_cast<size_t>(n);
  auto [centre, scale] = distribution_of(name, shape, gain);
  auto state = fnv1a64(name) ^ seed;
  auto values = std::vector<float>(count);
  for (size_t i = 0; i < count; ++i)
    values[i] = centre + scale * uniform_of(hash_at(state, i));
  return values;
}

std::vector<float> hashed_input(std::string_view name, size_t count, uint64_t seed, float scale) {
  auto state = fnv1a64("input." + std::string{name}) ^ seed;
  auto values = std::vector<float>(count);
  for (size_t i = 0; i < count; ++i)
    values[i] = scale * uniform_of(hash_at(state, i));
  return values;
}

void hash_fill(torch::nn::Module& network, uint64_t seed, double gain, std::string_view prefix) {
  auto fill = [&](const std::string& name, at::Tensor target) {
    auto values = hashed_weight(std::string{prefix} + name, target.sizes().vec(), seed, gain);
    target.copy_(at::from_blob(values.data(), target.sizes(), at::kFloat));
  };
  for (auto& x : network.named_parameters())
    fill(x.key(), x.value());
  for (auto& x : network.named_buffers())
    fill(x.key(), x.value());
}

} // namespace musetalk::models
