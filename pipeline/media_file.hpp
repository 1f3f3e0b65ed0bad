#pragma once

#include "pipeline/av_file.hpp"
#include "pipeline/media_info.hpp"
#include "pipeline/picture_geometry.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>

namespace musetalk::pipeline {

/// A container, opened and checked: a demuxer and a codec of the closed lists, and nothing that its
/// header says beyond the limits. Used by one thread.
class media_file {
public:
  /// Reads the header and as much of the streams as it takes to know them; bounded in bytes, in
  /// memory and by `limits.max_probe_seconds`, whatever the file is.
  /// @throws error `video_*`.
  media_file(const std::filesystem::path& source, const media_limits& limits);
  media_file(const media_file&) = delete;
  media_file& operator=(const media_file&) = delete;
  ~media_file();

  const media_info& info() const noexcept { return info_; }
  const AVStream& video() const noexcept { return *video_; }
  /// The first audio track; null without one.
  const AVStream* audio() const noexcept { return audio_; }

  /// The next packet of the two tracks. False at the end, also where the rest cannot be read.
  /// @throws error `video_too_many_frames` when there are more packets than any clip within the
  /// limits needs.
  bool read(AVPacket& to);

  /// Goes to the last key picture at or before `seconds` from the clip's start. False when the
  /// container cannot.
  bool seek(double seconds);

  /// Video packets that the index promises; 0 when the container has no full index.
  int64_t promised_packets() const;

  /// Time stamp of the clip's start, in the video track's time base.
  int64_t start() const noexcept;

  /// The video track's decoder, opened. @param threads 0 = one per core, at most 8.
  /// @throws error `video_unreadable`.
  av::codec_ptr open_decoder(int32_t threads) const;

  /// Square pixels and rotation for a decoded picture of this size.
  picture_geometry geometry(int32_t width, int32_t height) const;

  /// Reads no more audio.
  void drop_audio() noexcept;

  /// For `probe_video`: everything ends at the opening's deadline.
  bool expired() const noexcept { return file_.expired(); }
  void clear_deadline() noexcept { file_.clear_deadline(); }

private:
  struct container_deleter {
    void operator()(AVFormatContext* x) const noexcept;
  };

  static int interrupted(void* self);
  [[noreturn]] void throw_slow() const;
  void open_container();
  void require_declared_sizes() const;
  void read_streams();
  void choose_tracks();
  void fill_info();
  void require_limits() const;

  media_limits limits_;
  av::input_file file_;
  std::unique_ptr<AVFormatContext, container_deleter> context_;
  AVStream* video_ = nullptr;
  AVStream* audio_ = nullptr;
  const AVCodec* decoder_ = nullptr;
  int64_t packets_read_ = 0;
  media_info info_;
};

} // namespace musetalk::pipeline
