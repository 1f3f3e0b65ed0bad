#include "models/latent_encoder.hpp"

#include "errors/error.hpp"
#include "models/device.hpp"
#include "models/networks/autoencoder_kl.hpp"
#include "models/networks/hash_fill.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>

namespace musetalk::models {

namespace {

namespace fs = std::filesystem;

constexpr uint64_t synthetic_seed = 20250926;
constexpr int64_t visible_rows = face_side / 2;
constexpr uintmax_t max_config_bytes = 1 << 20;

/// The published architecture with a few channels: as many levels, so that shapes are the real
/// ones.
autoencoder_config synthetic_config() {
  auto c = autoencoder_config{};
  c.block_out_channels = {8, 8, 16, 16};
  c.norm_num_groups = 4;
  c.layers_per_block = 1;
  return c;
}

json_value read_config(const fs::path& file) {
  auto failure = std::error_code{};
  auto size = fs::file_size(file, failure);
  auto in = std::ifstream{file, std::ios::binary};
  if (failure || !in)
    throw error{errc::models_missing,
                "sd-vae/config.json is missing. Get it from Hugging Face "
                "stabilityai/sd-vae-ft-mse.",
                file.string()};
  if (size > max_config_bytes)
    throw error{errc::models_invalid, "sd-vae/config.json has " + std::to_string(size) +
                                          " bytes (limit " + std::to_string(max_config_bytes) +
                                          ")"};
  return json_value::parse(std::string{std::istreambuf_iterator<char>{in}, {}});
}

class vae_encoder final : public latent_encoder {
public:
  explicit vae_encoder(const load_options& options) {
    auto start = std::chrono::steady_clock::now();
    device_ = open_device(options);
    if (options.synthetic)
      make_synthetic();
    else
      load(options.models_dir / "sd-vae");
    network_->eval();
    // What the avatar stores has this shape; another VAE would be of no use.
    const auto& c = network_->config();
    if (c.block_out_channels.size() != 4 || c.latent_channels != 4 || c.in_channels != 3)
      throw error{errc::models_invalid, "the VAE makes no latents of [4, 32, 32]: " +
                                            std::to_string(c.block_out_channels.size()) +
                                            " levels, " + std::to_string(c.latent_channels) +
                                            " channels (4 and 4 are needed)"};
    auto took = std::chrono::steady_clock::now() - start;
    report_.load_ms = std::chrono::duration<double, std::milli>(took).count();
    report_.device = device_.where.device.str();
    report_.device_name = device_.name;
    report_.dtype = device_.dtype;
    report_.threads = at::get_num_threads();
    report_.parameters = parameter_count(*network_);
  }

  std::vector<latent> encode(std::span<const bgr_crop> crops) override {
    if (crops.empty())
      return {};
    auto result = std::vector<latent>{};
    on_device([&] {
      c10::InferenceMode inference;
      auto images = to_batch(crops).to(device_.where.device);       // [n, 256, 256, 3] uint8, BGR
      auto latents = encode_images(images).to(at::kCPU, at::kHalf); // [n, 8, 32, 32]
      result = split(latents.contiguous());
    });
    return result;
  }

  device_report report() const override { return report_; }

private:
  void make_synthetic() {
    network_ = AutoencoderKL{synthetic_config()};
    hash_fill(*network_, synthetic_seed, 1.0);
    place(*network_, device_.where);
    report_.synthetic = true;
    report_.weights_id = "synthetic";
  }

  void load(const fs::path& folder) {
    network_ = AutoencoderKL{autoencoder_config::from_json(read_config(folder / "config.json"))};
    for (const auto* name :
         {"diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin"}) {
      if (!fs::exists(folder / name))
        continue;
      auto source = checkpoint::open(folder / name);
      load_weights(*network_, source, autoencoder_names(), device_.where);
      report_.weights_id =
          std::string{"sd-vae/"} + name + ":" + std::to_string(source.file_bytes());
      return;
    }
    throw error{errc::models_missing,
                "sd-vae/diffusion_pytorch_model.bin is missing. Get it from "
                "Hugging Face stabilityai/sd-vae-ft-mse.",
                folder.string()};
  }

  /// `[n, 256, 256, 3]` uint8, BGR.
  static at::Tensor to_batch(std::span<const bgr_crop> crops) {
    auto batch =
        at::empty({static_cast<int64_t>(crops.size()), face_side, face_side, 3}, at::kByte);
    auto* to = batch.mutable_data_ptr<uint8_t>();
    for (const auto& crop : crops) {
      if (crop.pixels.size() != face_bytes)
        throw error{errc::internal, "a face crop has " + std::to_string(crop.pixels.size()) +
                                        " bytes instead of " + std::to_string(face_bytes)};
      std::memcpy(to, crop.pixels.data(), face_bytes);
      to += face_bytes;
    }
    return batch;
  }

  /// `[n, 8, 32, 32]`: masked and reference latents of BGR crops `[n, 256, 256, 3]`.
  at::Tensor encode_images(const at::Tensor& bgr) {
    auto n = bgr.size(0);
    auto x = bgr.to(at::kFloat).div_(255.0).flip({3}); // RGB
    auto masked = x.clone();
    // Zero before the normalisation, so -1 after it, as upstream has it.
    masked.narrow(1, visible_rows, face_side - visible_rows).zero_();
    auto both = at::cat({masked, x}).sub_(0.5).div_(0.5);      // [2 n, 256, 256, 3]
    both = both.to(device_.where.dtype).permute({0, 3, 1, 2}); // [2 n, 3, 256, 256], channels last
    auto mean = network_->encode(both).mean.to(at::kFloat) * network_->config().scaling_factor;
    return at::cat({mean.narrow(0, 0, n), mean.narrow(0, n, n)}, 1);
  }

  /// @param latents `[n, 8, 32, 32]` fp16 on the CPU, contiguous.
  static std::vector<latent> split(const at::Tensor& latents) {
    auto result = std::vector<latent>(static_cast<size_t>(latents.size(0)));
    auto* from = static_cast<const uint16_t*>(latents.const_data_ptr());
    for (auto& x : result) {
      x.half_bits.assign(from, from + latent_values);
      from += latent_values;
    }
    return result;
  }

  opened_device device_;
  AutoencoderKL network_{nullptr};
  device_report report_;
};

} // namespace

std::string_view to_string(precision x) noexcept {
  switch (x) {
  case precision::automatic:
    return "auto";
  case precision::float32:
    return "fp32";
  case precision::bfloat16:
    return "bf16";
  case precision::float16:
    return "fp16";
  }
  return "unknown";
}

std::unique_ptr<latent_encoder> make_latent_encoder(const load_options& options) {
  auto made = std::unique_ptr<latent_encoder>{};
  on_device([&] { made = std::make_unique<vae_encoder>(options); });
  return made;
}

} // namespace musetalk::models
