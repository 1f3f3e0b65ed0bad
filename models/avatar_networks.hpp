#pragma once

#include "models/latent_encoder.hpp"
#include "models/networks/autoencoder_kl.hpp"
#include "models/networks/unet.hpp"

#include <string>

namespace musetalk::models {

/// The VAE that the options ask for, with its weights.
struct loaded_vae {
  AutoencoderKL network{nullptr};
  std::string weights_id;
};

/// Loads `models_dir/sd-vae`, or makes a small synthetic VAE of as many levels.
/// @throws musetalk::error `models_missing`, `models_invalid`, also for a VAE whose latents are not
/// `[4, 32, 32]`.
loaded_vae load_vae(const load_options& options, const placement& where);

/// The UNet that the options ask for, with its weights; its time step is folded.
struct loaded_unet {
  UNet2DConditionModel network{nullptr};
  std::string weights_id;
};

/// Loads `models_dir/musetalkV15`, or makes a small synthetic UNet.
/// @throws musetalk::error `models_missing`, `models_invalid`.
loaded_unet load_unet(const load_options& options, const placement& where);

} // namespace musetalk::models
