#include "models/avatar_networks.hpp"

#include "errors/error.hpp"
#include "models/loading.hpp"

namespace musetalk::models {

namespace {

constexpr size_t levels = 4;
constexpr int64_t latent_channels = 4;

/// The published architecture with a few channels: small enough for two busy cores to encode many
/// crops a second.
autoencoder_config synthetic_vae() {
  auto c = autoencoder_config{};
  c.block_out_channels = {8, 8, 16, 16};
  c.norm_num_groups = 4;
  c.layers_per_block = 1;
  return c;
}

unet_config synthetic_unet() {
  auto c = unet_config{};
  c.block_out_channels = {32, 32, 64, 64};
  c.norm_num_groups = 8;
  c.layers_per_block = 1;
  c.cross_attention_dim = 32;
  c.heads = 4;
  return c;
}

/// What an avatar stores has a fixed shape; another VAE would be of no use.
void check(const autoencoder_config& c) {
  if (c.block_out_channels.size() != levels || c.latent_channels != latent_channels ||
      c.in_channels != 3 || c.out_channels != 3)
    throw error{errc::models_invalid, "the VAE makes no latents of [4, 32, 32]: it has " +
                                          std::to_string(c.block_out_channels.size()) +
                                          " levels and " + std::to_string(c.latent_channels) +
                                          " latent channels instead of 4 and 4"};
}

} // namespace

loaded_vae load_vae(const load_options& options, const placement& where) {
  if (options.synthetic) {
    auto network = AutoencoderKL{synthetic_vae()};
    make_synthetic(*network, where, 1.0);
    return {network, "synthetic"};
  }
  auto names = autoencoder_names();
  auto json = read_config(options.models_dir, "sd-vae/config.json", names.source);
  auto config = autoencoder_config::from_json(json);
  check(config);
  auto weights = open_weights(
      options.models_dir,
      {"sd-vae/diffusion_pytorch_model.bin", "sd-vae/diffusion_pytorch_model.safetensors"},
      names.source);
  auto network = AutoencoderKL{config};
  load_weights(*network, weights.file, names, where);
  return {network, weights.id};
}

loaded_unet load_unet(const load_options& options, const placement& where) {
  auto loaded = loaded_unet{};
  if (options.synthetic) {
    loaded = {UNet2DConditionModel{synthetic_unet()}, "synthetic"};
    make_synthetic(*loaded.network, where, 1.0);
  } else {
    auto names = unet_names();
    auto json = read_config(options.models_dir, "musetalkV15/musetalk.json", names.source);
    auto weights = open_weights(options.models_dir, {"musetalkV15/unet.pth"}, names.source);
    loaded = {UNet2DConditionModel{unet_config::from_json(json)}, weights.id};
    load_weights(*loaded.network, weights.file, names, where);
  }
  loaded.network->fold_time();
  return loaded;
}

} // namespace musetalk::models
