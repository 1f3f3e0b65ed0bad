#pragma once

#include "pipeline/speech_file.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

struct SwrContext;

namespace musetalk::pipeline {

/// Samples per second that the audio network hears.
inline constexpr int32_t speech_rate_hz = 16'000;

/// Plays a file's sound as the audio network hears it: mono (mean of the channels), 16 kHz, floats
/// of -1 to 1. Memory does not grow with its length. One thread at a time.
///
/// Source: librosa's `load(path, sr=16000)` as MuseTalk calls it; the resampler is the same (soxr,
/// HQ).
class speech_reader {
public:
  /// @throws error `audio_*`, `storage_failed`.
  speech_reader(const std::filesystem::path& source, const speech_limits& limits);
  ~speech_reader();

  const speech_info& info() const noexcept { return file_.info(); }

  /// The next `count` samples; fewer at the end, none after it.
  /// @throws error `audio_too_long`, `audio_damaged` when more than a little cannot be decoded or
  /// holds no numbers, `audio_too_short` for a file without a single sample.
  std::vector<float> next(size_t count);

private:
  struct resampler_deleter {
    void operator()(SwrContext* x) const noexcept;
  };

  bool pump();
  void decode(const AVPacket* packet);
  void resample(const AVFrame* sound);
  void start_resampler(const AVFrame& sound);
  bool same_form(const AVFrame& sound) const noexcept;
  void require_numbers();
  void require_sound() const;

  speech_file file_;
  av::codec_ptr decoder_;
  av::packet_ptr packet_;
  av::frame_ptr sound_;
  std::unique_ptr<SwrContext, resampler_deleter> resampler_;
  int32_t rate_hz_ = 0; // of the form that the resampler was made for
  int32_t channels_ = 0;
  int32_t format_ = -1;
  std::vector<float> ready_;
  size_t checked_ = 0; // of `ready_`, known to be numbers
  int64_t samples_ = 0;
  int64_t packets_ = 0;
  int64_t bad_packets_ = 0;
  bool ended_ = false;
};

} // namespace musetalk::pipeline
