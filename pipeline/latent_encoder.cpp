#include "pipeline/latent_encoder.hpp"

#include "errors/error.hpp"
#include "models/latent_encoder.hpp"

#include <utility>

namespace musetalk::pipeline {

namespace {

/// Borrows images for the networks and takes their latents over as shared buffers.
class network_encoder final : public latent_encoder {
public:
  explicit network_encoder(std::unique_ptr<models::latent_encoder> network)
      : network_(std::move(network)) {
    // nop
  }

  std::vector<latent> encode(std::span<const image> crops) override {
    std::vector<models::bgr_crop> borrowed;
    borrowed.reserve(crops.size());
    for (const auto& crop : crops)
      borrowed.push_back({*crop.pixels});
    auto made = network_->encode(borrowed);
    std::vector<latent> result;
    result.reserve(made.size());
    for (auto& x : made)
      result.push_back({std::make_shared<const std::vector<uint16_t>>(std::move(x.half_bits))});
    return result;
  }

  device_report report() const override {
    const auto x = network_->report();
    return {.device = x.device,
            .name = x.device_name,
            .weights = x.synthetic ? "synthetic" : "real",
            .dtype = std::string{models::to_string(x.dtype)},
            .memory_bytes = 0};
  }

private:
  std::unique_ptr<models::latent_encoder> network_;
};

} // namespace

std::unique_ptr<latent_encoder> open_latent_encoder(const encoder_config& config) {
  models::load_options options;
  options.models_dir = config.models_dir;
  options.synthetic = config.synthetic;
  options.device = config.device;
  options.threads = config.threads;
  return std::make_unique<network_encoder>(models::make_latent_encoder(options));
}

} // namespace musetalk::pipeline
