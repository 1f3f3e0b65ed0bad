#pragma once

#include "pipeline/filter_graph.hpp"

#include <cstdint>
#include <optional>

namespace musetalk::pipeline {

/// The sound of a clip on its way into an MP4: copied as it is where players know it there, else
/// encoded as AAC. Sound is a companion: a part that cannot be decoded is left out, it never fails
/// the video. One thread at a time.
class sound_track {
public:
  /// Adds a track to `muxer` before its header is written.
  /// @param source The clip's audio track; must outlive this.
  /// @param max_seconds What lies beyond is left out.
  /// @param copy False: encode in any case.
  sound_track(AVFormatContext& muxer, const AVStream& source, double max_seconds, bool copy = true);

  /// Takes a packet of the source. @param start Time of the clip's first frame, in the source's
  /// time base; sound before it is left out. Whether the disk took it is the file's to say.
  void write(AVPacket& packet, int64_t start);

  /// Writes what the encoder still holds.
  void finish();

private:
  void copy_setup();
  bool encode_setup();
  void decode(const AVPacket* packet);
  void encode(AVFrame* sound);
  void mux(AVPacket& packet, AVRational base);

  AVFormatContext& muxer_;
  const AVStream& source_;
  double max_seconds_;
  AVStream* target_ = nullptr; // null when the sound is of no use
  av::codec_ptr decoder_;      // null when copying
  av::codec_ptr encoder_;
  std::optional<filter_graph> resampler_; // made with the first decoded sound
  int64_t last_dts_ = AV_NOPTS_VALUE;     // in the target's time base
  int64_t encoded_samples_ = 0;
};

} // namespace musetalk::pipeline
