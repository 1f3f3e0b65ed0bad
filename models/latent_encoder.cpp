#include "models/latent_encoder.hpp"

#include "errors/error.hpp"
#include "models/loading.hpp"
#include "models/networks/autoencoder_kl.hpp"
#include "models/networks/face_images.hpp"
#include "models/vae_loading.hpp"

#include <c10/core/InferenceMode.h>

namespace musetalk::models {

namespace {

class vae_encoder final : public latent_encoder {
public:
  explicit vae_encoder(const load_options& options) {
    auto timer = load_timer{};
    device_ = open_device(options);
    auto vae = load_vae(options, device_.where);
    network_ = vae.network;
    report_ = timer.finish(device_, parameter_count(*network_), vae.weights_id);
  }

  std::vector<latent> encode(std::span<const bgr_crop> crops) override {
    if (crops.empty())
      return {};
    auto pictures = std::vector<std::span<const uint8_t>>{};
    for (const auto& crop : crops)
      pictures.push_back(crop.pixels);
    auto result = std::vector<latent>{};
    on_device([&] {
      c10::InferenceMode inference;
      auto bgr = to_batch(pictures, face_side, face_side, device_.where);
      auto images = encoder_input(bgr).to(device_.where.dtype); // [2 n, 3, 256, 256]
      auto mean = network_->encode(images).mean.to(at::kFloat); // [2 n, 4, 32, 32]
      auto latents = join_latents(mean, network_->config().scaling_factor);
      result = split(latents.to(at::kCPU, at::kHalf).contiguous());
    });
    return result;
  }

  device_report report() const override { return report_; }

private:
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
