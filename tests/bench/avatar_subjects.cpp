#include "tests/bench/avatar_subjects.hpp"

#include "models/avatar_networks.hpp"
#include "tests/bench/arguments.hpp"

#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace musetalk::models::bench {

avatar_options parse_avatar_options(int argc, char** argv) {
  auto o = avatar_options{};
  read_arguments(argc, argv,
                 {{"--weights",
                   [&](const auto& x) {
                     o.weights = x;
                   }},
                  {"--halves",
                   [&](const auto& x) {
                     o.halves = split(x);
                   }},
                  {"--batches",
                   [&](const auto& x) {
                     o.batches.clear();
                     for (const auto& n : split(x))
                       o.batches.push_back(std::stoul(n));
                   }},
                  {"--dtypes",
                   [&](const auto& x) {
                     o.dtypes.clear();
                     for (const auto& name : split(x))
                       o.dtypes.push_back(
                           precision_of(name, {precision::automatic, precision::float32,
                                               precision::bfloat16, precision::float16}));
                   }},
                  {"--device",
                   [&](const auto& x) {
                     o.device = x;
                   }},
                  {"--threads",
                   [&](const auto& x) {
                     o.threads = std::stoi(x);
                   }},
                  {"--seconds", [&](const auto& x) {
                     o.seconds = std::stod(x);
                   }}});
  if (o.batches.empty() || std::find(o.batches.begin(), o.batches.end(), 0u) != o.batches.end())
    refuse("--batches takes numbers from 1");
  return o;
}

avatar_networks load_networks(const avatar_options& options, const placement& where) {
  if (options.weights != "full") {
    auto source = load_options{};
    source.synthetic = options.weights == "synthetic";
    source.models_dir = options.weights;
    return {load_unet(source, where).network, load_vae(source, where).network};
  }
  auto x =
      avatar_networks{UNet2DConditionModel{unet_config{}}, AutoencoderKL{autoencoder_config{}}};
  make_synthetic(*x.unet, where, 1.0);
  make_synthetic(*x.vae, where, 1.0);
  x.unet->fold_time();
  return x;
}

opened_device open_for(const avatar_options& options, precision dtype) {
  auto wanted = load_options{};
  wanted.device = options.device;
  wanted.threads = options.threads;
  wanted.dtype = dtype;
  return open_device(wanted);
}

avatar_frames::avatar_frames(size_t count, int64_t audio_channels) {
  for (size_t i = 0; i < count; ++i) {
    auto& picture = pixels.emplace_back(face_bytes);
    // Waves, as smooth as faces are, and some noise.
    for (size_t p = 0; p < face_bytes; ++p) {
      auto x = static_cast<double>(p / 3 % face_side), y = static_cast<double>(p / 3 / face_side);
      auto wave = std::sin(0.02 * x * static_cast<double>(1 + i)) +
                  std::cos(0.03 * y + static_cast<double>(p % 3));
      picture[p] = static_cast<uint8_t>(120.0 + 50.0 * wave + (hash_at(i, p) >> 60));
    }
    auto values = hashed_input("latent." + std::to_string(i), latent_values, 1, 2.f);
    auto half = at::from_blob(values.data(), {static_cast<int64_t>(latent_values)}, at::kFloat)
                    .to(at::kHalf);
    auto& latent = latents.emplace_back(latent_values);
    std::memcpy(latent.data(), half.const_data_ptr(), latent.size() * sizeof(uint16_t));
    audio.push_back(hashed_input("audio." + std::to_string(i),
                                 static_cast<size_t>(tokens * audio_channels), 1, 2.f));
  }
}

std::vector<bgr_crop> avatar_frames::crops(size_t first, size_t count) const {
  auto list = std::vector<bgr_crop>{};
  for (auto i = first; i < first + count; ++i)
    list.push_back({pixels[i % pixels.size()]});
  return list;
}

std::vector<lip_request> avatar_frames::requests(size_t first, size_t count) const {
  auto list = std::vector<lip_request>{};
  for (auto i = first; i < first + count; ++i)
    list.push_back({latents[i % latents.size()], audio[i % audio.size()]});
  return list;
}

} // namespace musetalk::models::bench
