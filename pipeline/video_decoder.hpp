#pragma once

#include "pipeline/media_file.hpp"

#include <cstdint>

namespace musetalk::pipeline {

/// What went through a decoder.
struct decode_counts {
  int64_t packets = 0; ///< From the first key picture on; not those that are never shown.
  int64_t pictures = 0;
  int64_t damaged = 0; ///< Packets refused and pictures that had to be patched up.
};

/// The video track's decoder with the limits that a header cannot be trusted for. One thread at a
/// time.
class video_decoder {
public:
  /// @param threads 0 = one per core.
  video_decoder(const media_file& file, const media_limits& limits, int32_t threads);

  /// Gives one packet; `receive` must have been emptied before. A packet that cannot be decoded is
  /// counted, not thrown.
  void send(const AVPacket& packet);

  /// Says that no packet follows; the last pictures come out by `receive`.
  void end();

  /// The next picture in the order of showing, with its start in `pts` and its length in
  /// `pkt_duration`, both in the track's time base. False when it needs more packets.
  /// @throws error `video_too_large`, `video_too_many_frames`.
  bool receive(AVFrame& to);

  /// Forgets the pictures in flight, after a seek.
  void flush();

  /// Pictures that nothing else needs are not decoded.
  void skip_unneeded(bool skip);

  /// What the codec keeps in its buffers for the latest picture, pixels.
  int coded_width() const noexcept { return codec_->coded_width; }
  int coded_height() const noexcept { return codec_->coded_height; }

  /// All packets sent.
  int64_t packets_seen() const noexcept { return packets_seen_; }

  const decode_counts& counts() const noexcept { return counts_; }

  /// Judges the whole clip after its last picture.
  /// @throws error `video_damaged` beyond the share, `video_too_short` for no picture.
  void require_sound(double max_damaged_share) const;

private:
  int64_t lost() const;

  media_limits limits_;
  AVRational base_;
  av::codec_ptr codec_;
  decode_counts counts_;
  int64_t packets_seen_ = 0;
  bool started_ = false;     // a key picture came
  bool one_each_ = false;    // one packet is one picture
  int64_t usual_length_ = 1; // of a picture
  int64_t end_ = AV_NOPTS_VALUE;
};

} // namespace musetalk::pipeline
