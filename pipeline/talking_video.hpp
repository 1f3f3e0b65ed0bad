#pragma once

#include "pipeline/image.hpp"
#include "pipeline/speech_file.hpp"
#include "pipeline/video_writer.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace musetalk::pipeline {

/// How to encode a talking video.
struct talking_config {
  std::string x264_preset = "veryfast";
  int32_t crf = 18;    ///< 0 (no loss) to 51.
  int32_t threads = 0; ///< 0 = one per core.
  int32_t fps = 25;
};

/// Writes the MP4 of an avatar that speaks: frames beside the speech, both from time
/// 0. Encoded once, frames in the order of the calls; the sound is read from its file as the frames
/// need it, so memory does not grow with the length. One thread at a time. An unfinished file stays
/// for the caller to remove.
class talking_video {
public:
  /// @param speech The file that was spoken.
  /// @throws error `audio_*`, `storage_*`.
  talking_video(const std::filesystem::path& path, const std::filesystem::path& speech,
                const speech_limits& limits, int32_t width, int32_t height,
                const talking_config& config);

  /// Appends a frame. @throws error `storage_*`.
  void write(const image& frame);

  /// Completes the file; sound beyond the last frame is left out. @throws error `storage_*`.
  void finish();

private:
  void write_sound_until(double seconds);

  speech_file speech_;
  video_writer writer_;
  av::packet_ptr packet_;
  bool packet_waits_ = false; // read, but later than the frames so far
  bool sound_ended_ = false;
  int64_t sound_start_ = AV_NOPTS_VALUE;
  int32_t fps_;
  int64_t frames_ = 0;
};

} // namespace musetalk::pipeline
