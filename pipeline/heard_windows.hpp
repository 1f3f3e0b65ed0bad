#pragma once

#include "pipeline/speech.hpp"

#include <cstdint>
#include <deque>
#include <vector>

namespace musetalk::pipeline {

/// Cuts what the audio network hears into one window per video frame, segment by segment, so that
/// only what the frames at hand need is kept. Zeros stand for the time before the sound begins and
/// after it ends. One thread at a time.
///
/// The same values as `models::audio_encoder::encode` gives for the whole sound at once.
class heard_windows {
public:
  /// @param samples Of the whole sound, at 16 kHz. @param fps Video frames per second.
  heard_windows(int64_t samples, int64_t fps);

  /// Video frames that the sound fills.
  int64_t frames() const noexcept { return static_cast<int64_t>(starts_.size()); }

  /// Whether the window of a frame reaches into a segment that has not come yet.
  bool wants_more(int64_t frame) const;

  /// Takes the next segment in order. @throws error `device_failed` for another form than before.
  void push(heard_sound segment);

  /// The window of a frame, `[window * layers, channels]`: time major, layer minor.
  /// @throws error `internal` when what it needs is not there.
  floats_ptr cut(int64_t frame) const;

  /// Lets go of segments that no later frame needs.
  void forget_before(int64_t frame);

private:
  int64_t first_step(int64_t frame) const { return starts_.at(static_cast<size_t>(frame)); }
  int64_t end_step(int64_t frame) const;

  struct kept {
    int64_t first = 0; // step
    heard_sound heard;
  };

  std::vector<int64_t> starts_; // first step of each frame's window; negative before the sound
  int64_t window_ = 0;          // steps
  int64_t steps_ = 0;           // of the sound
  std::deque<kept> segments_;
  int64_t heard_steps_ = 0; // of all segments so far
};

} // namespace musetalk::pipeline
