#pragma once

#include "models/audio_windows.hpp"
#include "models/latent_encoder.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace musetalk::models {

/// What each video frame hears.
struct audio_features {
  int64_t frames = 0;
  int64_t tokens = 0;   ///< 50 for the published weights and two frames of context on each side.
  int64_t channels = 0; ///< 384 for the published weights.
  std::vector<float> values; ///< `[frames, tokens, channels]`, without position encoding.
};

/// All hidden states of one segment, the silence behind its samples among them.
struct audio_states {
  int64_t steps = 0; ///< 1500 for the published weights.
  int64_t layers = 0;
  int64_t channels = 0;
  std::vector<float> values; ///< `[steps, layers, channels]`.
};

/// Audio features by the encoder of Whisper. Owns its weights. Not thread-safe.
class audio_encoder {
public:
  virtual ~audio_encoder() = default;

  /// @param samples 16 kHz, mono, -1 to 1; at most an hour.
  /// @param fps Video frames per second.
  /// @param left, right Context in frames.
  /// @throws musetalk::error `internal` for too much audio, `device_out_of_memory`,
  /// `device_failed`. Source: MuseTalk `AudioProcessor` (musetalk/utils/audio_processor.py).
  virtual audio_features encode(std::span<const float> samples, int64_t fps, int64_t left = 2,
                                int64_t right = 2) = 0;

  /// The hidden states of one segment, which `encode` cuts into windows: for those who cut by
  /// themselves and so need not hold a long clip.
  /// @param samples At most 30 s.
  /// @throws musetalk::error as `encode`.
  virtual audio_states listen(std::span<const float> samples) = 0;

  virtual device_report report() const = 0;
};

/// Loads the encoder from `models_dir/whisper` (or makes a synthetic one).
/// @throws musetalk::error `models_missing`, `models_invalid`, `device_failed`.
std::unique_ptr<audio_encoder> make_audio_encoder(const load_options& options);

} // namespace musetalk::models
