#pragma once

#include <ATen/Tensor.h>

namespace musetalk::models {

/// Between pictures and the values that the VAE knows.

/// Face crops as the encoder takes them: first all with their lower half blacked out (before the
/// normalisation, so -1 after it), then all as they are.
/// @param bgr `[n, 256, 256, 3]` uint8.
/// @returns `[2 n, 3, 256, 256]` fp32, RGB, -1 to 1.
/// Source: MuseTalk `VAE.preprocess_img` (musetalk/models/vae.py).
at::Tensor encoder_input(const at::Tensor& bgr);

/// Posterior means of `encoder_input`, scaled and joined: `[2 n, 4, h, w]` to `[n, 8, h, w]`,
/// masked first.
at::Tensor join_latents(const at::Tensor& means, double scaling_factor);

/// What the decoder makes, as pictures: clamped, rounded half to even.
/// @param image `[n, 3, h, w]`, RGB, -1 to 1. @returns `[n, h, w, 3]` uint8, BGR.
/// Source: MuseTalk `VAE.decode_latents`.
at::Tensor to_pictures(const at::Tensor& image);

} // namespace musetalk::models
