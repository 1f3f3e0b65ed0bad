#pragma once

#include "models/latent_encoder.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace musetalk::models {

/// One frame to be spoken.
struct lip_request {
  std::span<const uint16_t>
      latent; ///< `latent_values` fp16 values of the avatar's frame, borrowed.
  std::span<const float>
      audio; ///< `[tokens, channels]` of the frame, without position encoding, borrowed.
};

/// A face that speaks: `[256, 256, 3]`, BGR, row-major.
using spoken_face = std::vector<uint8_t>;

/// The speaking half of the avatar: UNet and VAE decoder. Owns its weights. Not thread-safe.
class face_generator {
public:
  virtual ~face_generator() = default;

  /// Tokens and channels of a frame's audio: 50 and 384 for the published weights.
  virtual int64_t audio_channels() const = 0;

  /// @param requests One execution; all with as many tokens.
  /// @returns One face per request, in order.
  /// @throws musetalk::error `internal` for requests of another size, `device_out_of_memory` when
  /// the batch does not
  ///         fit (smaller ones may), `device_lost` when the device will not work again in this
  ///         process, `device_failed` otherwise, also when what comes out is no finite number.
  /// Source: MuseTalk `Avatar.inference` (scripts/realtime_inference.py) and `VAE.decode_latents`.
  virtual std::vector<spoken_face> generate(std::span<const lip_request> requests) = 0;

  /// As `latent_encoder::warm_up`, for frames with the published 50 tokens; requests with another
  /// count pay for it at first use.
  virtual size_t warm_up(size_t max_batch) = 0;

  /// As `latent_encoder::submit`.
  virtual void submit(std::span<const lip_request> requests) = 0;

  /// As `latent_encoder::collect`.
  virtual std::vector<spoken_face> collect() = 0;

  /// What was loaded and where it runs; the memory as it is now.
  virtual device_report report() const = 0;
};

/// Loads `models_dir/musetalkV15` and the decoder of `models_dir/sd-vae` (or makes synthetic ones).
/// @throws musetalk::error `models_missing`, `models_invalid`, `device_failed`.
std::unique_ptr<face_generator> make_face_generator(const load_options& options);

} // namespace musetalk::models
