#pragma once

#include "pipeline/av_file.hpp"
#include "pipeline/filter_graph.hpp"
#include "pipeline/image.hpp"
#include "pipeline/picture_geometry.hpp"
#include "pipeline/sound_track.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace musetalk::pipeline {

/// How to encode.
struct write_config {
  std::string x264_preset = "veryfast";
  int32_t kilobits_per_second = 3000;
  std::optional<int32_t> crf{}; ///< Constant quality in place of the bit rate.
  int32_t threads = 0;          ///< 0 = one per core.
  int32_t fps = 25;             ///< Of what is written.
  double max_seconds = 30.;
  bool tag_bt709 = false; ///< Pictures as shown are converted and tagged so; else by BT.601.
  bool copy_sound = true; ///< Where players know its codec; else it is always encoded anew.
};

/// Writes `video.mp4`: H.264, yuv420p, index at the front, sound kept.
/// Pictures are turned and stretched as the geometry says. Where a side is odd, its last row or
/// column is left out, because 4:2:0 has none: what remains lies where it lay, so boxes of the
/// avatar's own frames, which stay odd, fit this video too. One thread at a time. An unfinished
/// file stays for the caller to remove.
class video_writer {
public:
  /// @param sound The clip's audio track, or null. Must outlive this.
  /// @throws error `storage_*`.
  video_writer(const std::filesystem::path& path, const picture_geometry& geometry,
               const AVStream* sound, const write_config& config);
  video_writer(const video_writer&) = delete;
  video_writer& operator=(const video_writer&) = delete;
  ~video_writer();

  /// Appends a picture as decoded, with its colour tags. @throws error `storage_*`.
  void write(const AVFrame& stored);

  /// Appends a picture as shown (BGR), for one that was changed.
  void write(const image& shown);

  /// Appends sound. The first picture must have been written.
  /// @param start As for `sound_track::write`.
  void write_sound(AVPacket& packet, int64_t start);

  /// Completes the file. @throws error `storage_*`.
  void finish();

private:
  struct muxer_deleter {
    void operator()(AVFormatContext* x) const noexcept { avformat_free_context(x); }
  };

  static int open_second(AVFormatContext* muxer, AVIOContext** io, const char* url, int flags,
                         AVDictionary** options);
  static int close_second(AVFormatContext* muxer, AVIOContext* io);
  bool passes(const AVFrame& stored) const;
  std::string chain_for_stored() const;
  void append(const AVFrame& shaped);
  void start(const AVFrame& first);
  void encode(AVFrame* picture);
  void check_write(int result, const char* call) const;

  write_config config_;
  AVRational frame_base_;
  picture_geometry geometry_;
  const AVStream* sound_source_;
  av::output_file file_;
  std::unique_ptr<AVFormatContext, muxer_deleter> muxer_;
  av::codec_ptr encoder_; // made with the first picture, which tells the colours
  std::optional<sound_track> sound_;
  std::optional<filter_graph> shaper_;
  AVStream* track_ = nullptr;
  int64_t frames_ = 0;
};

} // namespace musetalk::pipeline
