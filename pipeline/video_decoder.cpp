#include "pipeline/video_decoder.hpp"

#include "pipeline/media_limits.hpp"
#include "pipeline/sentence.hpp"

extern "C" {
#include <libavutil/common.h>
}

#include <algorithm>

namespace musetalk::pipeline {

namespace {

// With these a packet without a picture is a picture lost. Others hide pictures in packets of
// their own (VP8), or store fields one by one.
bool one_picture_each(const AVCodecParameters& x) {
  const auto known = x.codec_id == AV_CODEC_ID_H264 || x.codec_id == AV_CODEC_ID_HEVC ||
                     x.codec_id == AV_CODEC_ID_MJPEG;
  return known && (x.field_order == AV_FIELD_PROGRESSIVE || x.field_order == AV_FIELD_UNKNOWN);
}

int64_t usual_length(const AVStream& x) {
  const auto rate = x.avg_frame_rate.num > 0 ? x.avg_frame_rate : x.r_frame_rate;
  if (rate.num <= 0 || rate.den <= 0)
    return 1;
  return std::max<int64_t>(1, av_rescale_q(1, av_inv_q(rate), x.time_base));
}

} // namespace

video_decoder::video_decoder(const media_file& file, const media_limits& limits, int32_t threads)
    : limits_(limits), base_(file.video().time_base), codec_(file.open_decoder(threads)),
      one_each_(one_picture_each(*file.video().codecpar)),
      usual_length_(usual_length(file.video())) {}

void video_decoder::send(const AVPacket& packet) {
  ++packets_seen_;
  // A recording may begin between two key pictures; what cannot be decoded before the first one is
  // no damage.
  started_ = started_ || (packet.flags & AV_PKT_FLAG_KEY) != 0;
  if (started_ && (packet.flags & AV_PKT_FLAG_DISCARD) == 0)
    ++counts_.packets;
  const auto result = avcodec_send_packet(codec_.get(), &packet);
  if (result == AVERROR(ENOMEM))
    av::check(result, errc::video_damaged, "A picture of the video could not be decoded.",
              "avcodec_send_packet");
  if (started_ && result < 0 && result != AVERROR_EOF)
    ++counts_.damaged;
}

void video_decoder::end() {
  avcodec_send_packet(codec_.get(), nullptr);
}

bool video_decoder::receive(AVFrame& to) {
  for (;;) {
    const auto result = avcodec_receive_frame(codec_.get(), &to);
    if (result == AVERROR(EAGAIN) || result == AVERROR_EOF)
      return false;
    if (result < 0) {
      // Each failure has used up a packet, so this ends.
      counts_.damaged += started_ ? 1 : 0;
      continue;
    }
    break;
  }
  ++counts_.pictures;
  require_source_frames(counts_.pictures, limits_);
  require_pixels(to.width, to.height, limits_);
  if (to.decode_error_flags != 0 || (to.flags & AV_FRAME_FLAG_CORRUPT) != 0)
    ++counts_.damaged;
  to.pts = to.best_effort_timestamp;
  if (to.pts == AV_NOPTS_VALUE)
    to.pts = end_ == AV_NOPTS_VALUE ? 0 : end_;
  if (to.pkt_duration <= 0)
    to.pkt_duration = usual_length_;
  end_ = av_sat_add64(to.pts, to.pkt_duration);
  return true;
}

void video_decoder::flush() {
  avcodec_flush_buffers(codec_.get());
  end_ = AV_NOPTS_VALUE;
}

void video_decoder::skip_unneeded(bool skip) {
  codec_->skip_frame = skip ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
}

int64_t video_decoder::lost() const {
  return one_each_ ? std::max<int64_t>(0, counts_.packets - counts_.pictures) : 0;
}

void video_decoder::require_sound(double max_damaged_share) const {
  const auto damaged = std::max(counts_.damaged, lost());
  const auto total = std::max(counts_.packets, counts_.pictures);
  if (counts_.pictures == 0 && damaged == 0)
    throw error(errc::video_too_short, "The video has not a single frame.", av::heard());
  const auto tolerated = std::max(1., max_damaged_share * static_cast<double>(total));
  if (counts_.pictures == 0 || static_cast<double>(damaged) > tolerated)
    throw error(errc::video_damaged,
                sentence("%lld of %lld frames cannot be decoded; at most %.1f %% may be damaged.",
                         static_cast<long long>(damaged), static_cast<long long>(total),
                         100. * max_damaged_share),
                av::heard());
}

} // namespace musetalk::pipeline
