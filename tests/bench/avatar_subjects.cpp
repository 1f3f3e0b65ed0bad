#include "tests/bench/avatar_subjects.hpp"

#include "models/avatar_networks.hpp"

#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

namespace musetalk::models::bench {

namespace {

std::vector<std::string> split(const std::string& text) {
  auto list = std::vector<std::string>{};
  auto in = std::istringstream{text};
  for (std::string part; std::getline(in, part, ',');)
    list.push_back(part);
  return list;
}

precision to_precision(const std::string& name) {
  for (auto x : {precision::automatic, precision::float32, precision::bfloat16, precision::float16})
    if (to_string(x) == name)
      return x;
  std::fprintf(stderr, "unknown number format %s\n", name.c_str());
  std::exit(2);
}

} // namespace

avatar_options parse_avatar_options(int argc, char** argv) {
  auto o = avatar_options{};
  auto known = std::map<std::string, std::function<void(const std::string&)>>{};
  known["--weights"] = [&](const auto& x) {
    o.weights = x;
  };
  known["--halves"] = [&](const auto& x) {
    o.halves = split(x);
  };
  known["--batches"] = [&](const auto& x) {
    o.batches.clear();
    for (const auto& n : split(x))
      o.batches.push_back(std::stoul(n));
  };
  known["--dtypes"] = [&](const auto& x) {
    o.dtypes.clear();
    for (const auto& name : split(x))
      o.dtypes.push_back(to_precision(name));
  };
  known["--device"] = [&](const auto& x) {
    o.device = x;
  };
  known["--threads"] = [&](const auto& x) {
    o.threads = std::stoi(x);
  };
  known["--seconds"] = [&](const auto& x) {
    o.seconds = std::stod(x);
  };
  for (auto i = 1; i < argc; i += 2) {
    if (!known.count(argv[i]) || i + 1 >= argc) {
      std::fprintf(stderr, "unknown or incomplete argument %s\n", argv[i]);
      std::exit(2);
    }
    known.at(argv[i])(argv[i + 1]);
  }
  if (o.batches.empty() || std::find(o.batches.begin(), o.batches.end(), 0u) != o.batches.end()) {
    std::fprintf(stderr, "--batches takes numbers from 1\n");
    std::exit(2);
  }
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
