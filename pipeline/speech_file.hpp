#pragma once

#include "pipeline/av_file.hpp"
#include "pipeline/speech_limits.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace musetalk::pipeline {

/// What a file promises about its sound.
struct speech_info {
  std::string container; ///< libav's demuxer name.
  std::string codec;     ///< libav's codec name.
  int32_t channels = 0;
  int32_t rate_hz = 0;
  double duration_s = 0.; ///< 0 when the header does not say.
};

/// Sound in a file, opened and checked: a demuxer and a codec of the closed lists. The track may be
/// that of a video. Used by one thread.
class speech_file {
public:
  /// Reads the header; bounded in bytes and by `limits.max_probe_seconds`, whatever the file is.
  /// @throws error `audio_unreadable`, `audio_no_track`, `audio_too_long`, `storage_failed`.
  speech_file(const std::filesystem::path& source, const speech_limits& limits);
  speech_file(const speech_file&) = delete;
  speech_file& operator=(const speech_file&) = delete;
  ~speech_file();

  const speech_info& info() const noexcept { return info_; }
  const AVStream& track() const noexcept { return *track_; }
  const speech_limits& limits() const noexcept { return limits_; }

  /// The next packet of the track. False at the end, also where the rest cannot be read.
  bool read(AVPacket& to);

  /// The track's decoder, opened. @throws error `audio_unreadable`.
  av::codec_ptr open_decoder() const;

private:
  struct container_deleter {
    void operator()(AVFormatContext* x) const noexcept;
  };

  static int interrupted(void* self);
  void open_container();
  void choose_track();
  void fill_info();

  speech_limits limits_;
  av::input_file file_;
  std::unique_ptr<AVFormatContext, container_deleter> context_;
  AVStream* track_ = nullptr;
  const AVCodec* decoder_ = nullptr;
  speech_info info_;
};

} // namespace musetalk::pipeline
