#include "models/latent_encoder.hpp"

#include "errors/error.hpp"
#include "models/assembled.hpp"
#include "models/avatar_networks.hpp"
#include "models/cuda/batch_runner.hpp"
#include "models/networks/face_images.hpp"

#include <cstring>
#include <utility>

namespace musetalk::models {

namespace {

constexpr int64_t latent_side = face_side / 8;

/// Crops `[n, 256, 256, 3]` uint8 to latents `[n, 8, 32, 32]` fp16, all of it on the device.
batch_work encoding(AutoencoderKL network, at::ScalarType dtype) {
  auto run = [network, dtype](const std::vector<at::Tensor>& in) mutable {
    auto images = encoder_input(in[0]).to(dtype);            // [2 n, 3, 256, 256]
    auto mean = network->encode(images).mean.to(at::kFloat); // [2 n, 4, 32, 32]
    auto latents = join_latents(mean, network->config().scaling_factor);
    return std::vector<at::Tensor>{latents.to(at::kHalf)};
  };
  return {{{{face_side, face_side, 3}, at::kByte}},
          {{{8, latent_side, latent_side}, at::kHalf}},
          std::move(run)};
}

class vae_encoder final : public latent_encoder {
public:
  vae_encoder(opened_device device, AutoencoderKL network, std::string weights_id,
              const load_timer& timer)
      : device_(std::move(device)),
        runner_(make_batch_runner(device_, encoding(network, device_.where.dtype))),
        report_(timer.finish(device_, parameter_count(*network), std::move(weights_id))) {
    // nop
  }

  std::vector<latent> encode(std::span<const bgr_crop> crops) override {
    auto result = std::vector<latent>{};
    if (crops.empty())
      return result;
    on_device(device_, [&] {
      result = gather_in_parts(
          *runner_, crops.size(),
          [&](batch_part part) { begin(crops.subspan(part.first, part.count)); },
          [&] { return end(); });
    });
    return result;
  }

  size_t warm_up(size_t max_batch) override {
    auto limit = size_t{0};
    on_device(device_, [&] { limit = runner_->warm_up(max_batch); });
    return limit;
  }

  void submit(std::span<const bgr_crop> crops) override {
    on_device(device_, [&] { begin(crops); });
  }

  std::vector<latent> collect() override {
    auto result = std::vector<latent>{};
    on_device(device_, [&] { result = end(); });
    return result;
  }

  device_report report() const override { return completed(report_, device_, *runner_); }

private:
  void begin(std::span<const bgr_crop> crops) {
    runner_->submit(crops.size(), [&](const std::vector<at::Tensor>& rows) {
      auto* to = rows[0].mutable_data_ptr<uint8_t>();
      for (const auto& crop : crops) {
        if (crop.pixels.size() != face_bytes)
          throw error{errc::internal, "a crop has " + std::to_string(crop.pixels.size()) +
                                          " bytes instead of " + std::to_string(face_bytes)};
        std::memcpy(to, crop.pixels.data(), face_bytes);
        to += face_bytes;
      }
    });
  }

  std::vector<latent> end() {
    auto result = std::vector<latent>{};
    runner_->collect([&](const std::vector<at::Tensor>& rows) {
      auto* from = static_cast<const uint16_t*>(rows[0].const_data_ptr());
      result.resize(static_cast<size_t>(rows[0].size(0)));
      for (auto& x : result) {
        x.half_bits.assign(from, from + latent_values);
        from += latent_values;
      }
    });
    return result;
  }

  opened_device device_;
  std::unique_ptr<batch_runner> runner_; ///< Owns the network.
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

std::unique_ptr<latent_encoder> make_latent_encoder(opened_device device, AutoencoderKL network,
                                                    std::string weights_id,
                                                    const load_timer& timer) {
  return std::make_unique<vae_encoder>(std::move(device), std::move(network), std::move(weights_id),
                                       timer);
}

std::unique_ptr<latent_encoder> make_latent_encoder(const load_options& options) {
  auto made = std::unique_ptr<latent_encoder>{};
  on_device([&] {
    auto timer = load_timer{};
    auto device = open_device(options);
    auto vae = load_vae(options, device.where);
    made = make_latent_encoder(std::move(device), vae.network, vae.weights_id, timer);
  });
  return made;
}

} // namespace musetalk::models
