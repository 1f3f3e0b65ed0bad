#pragma once

#include "models/face_generator.hpp"
#include "models/latent_encoder.hpp"
#include "models/loading.hpp"
#include "models/networks/autoencoder_kl.hpp"
#include "models/networks/unet.hpp"

#include <memory>
#include <string>

namespace musetalk::models {

/// The avatar's two halves from networks that are there already: for benchmarks and tests, which
/// make networks of any size without files. The networks lie on the device, in its number format.

/// @param timer Started before the networks were loaded.
std::unique_ptr<latent_encoder> make_latent_encoder(opened_device device, AutoencoderKL network,
                                                    std::string weights_id,
                                                    const load_timer& timer = {});

/// @param unet Its time step has been folded.
/// @throws musetalk::error `models_invalid` when its channels are not those of an avatar.
std::unique_ptr<face_generator> make_face_generator(opened_device device, UNet2DConditionModel unet,
                                                    AutoencoderKL vae, std::string weights_id,
                                                    const load_timer& timer = {});

} // namespace musetalk::models
