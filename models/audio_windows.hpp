#pragma once

#include <cstdint>
#include <vector>

namespace musetalk::models {

/// Samples per second that the audio encoder takes.
inline constexpr int64_t audio_rate_hz = 16'000;

/// Feature steps per second that it makes.
inline constexpr int64_t audio_steps_per_s = 50;

/// Which feature steps each video frame sees.
struct window_plan {
  int64_t frames = 0; ///< Video frames that the audio fills.
  int64_t steps = 0;  ///< Feature steps that are real; the rest is padding of the last segment.
  int64_t zeros_before = 0;    ///< Steps of silence put before them.
  int64_t zeros_after = 0;     ///< Steps of silence put after them.
  int64_t window = 0;          ///< Steps per frame.
  std::vector<int64_t> starts; ///< First step of each frame's window, in the padded sequence.

  /// Windows that reach beyond the padded sequence. Upstream ends its process there; here zeros
  /// follow.
  int64_t too_short() const;
};

/// The bookkeeping of MuseTalk's audio windows, in double precision as there.
///
/// Source: MuseTalk `AudioProcessor.get_whisper_chunk` (musetalk/utils/audio_processor.py).
///
/// @param samples At `audio_rate_hz`; at most an hour.
/// @param fps Video frames per second, 1 to 240.
/// @param left, right Context in frames, 0 to 50.
/// @throws musetalk::error `internal` outside these ranges.
window_plan plan_windows(int64_t samples, int64_t fps, int64_t left, int64_t right);

} // namespace musetalk::models
