#include "pipeline/clip_reader.hpp"

#include "pipeline/media_limits.hpp"
#include "pipeline/sentence.hpp"

extern "C" {
#include <libavutil/common.h>
}

#include <algorithm>
#include <utility>

namespace musetalk::pipeline {

namespace {

constexpr double rounding_packets = 2.;
constexpr AVRational frame_base = {1, avatar_frames_per_second};

} // namespace

clip_reader::clip_reader(const std::filesystem::path& source, const read_config& config)
    : config_(config), file_(source, config.limits), decoder_(file_, config.limits, config.threads),
      deinterlacer_(file_.video().time_base), packet_(av::make_packet()) {
  file_.clear_deadline();
}

bool clip_reader::advance() {
  const auto log = av::log_scope{};
  if (current_.times > 1) {
    --current_.times;
  } else {
    while (ready_.empty() && !ended_)
      ended_ = !pump();
    if (ready_.empty())
      return false;
    current_ = std::move(ready_.front());
    ready_.pop_front();
    converted_ = {};
  }
  ++index_;
  // The header may have promised less than comes.
  if (index_ >= config_.limits.max_frames)
    throw error(errc::video_too_many_frames,
                sentence("The video has more than %lld frames at %d frames per second, which is "
                         "the limit.",
                         static_cast<long long>(config_.limits.max_frames),
                         avatar_frames_per_second));
  return true;
}

image clip_reader::picture() {
  if (converted_.pixels)
    return converted_;
  const auto log = av::log_scope{};
  if (!converter_)
    converter_.emplace(geometry_);
  converted_ = converter_->convert(*current_.picture, current_.coded_width, current_.coded_height);
  return converted_;
}

std::vector<av::packet_ptr> clip_reader::take_sound() {
  return start_ == AV_NOPTS_VALUE ? std::vector<av::packet_ptr>{} : std::exchange(sound_, {});
}

// Reads one packet and decodes what it completes. False when that was the end.
bool clip_reader::pump() {
  if (!file_.read(*packet_)) {
    finish();
    return false;
  }
  if (packet_->stream_index == file_.video().index) {
    decoder_.send(*packet_);
    decode_ready();
  } else if (keep_sound_) {
    queue_sound(*packet_);
  }
  av_packet_unref(packet_.get());
  return true;
}

void clip_reader::decode_ready() {
  for (;;) {
    auto picture = av::make_frame();
    if (!decoder_.receive(*picture))
      return;
    for (auto& x : deinterlacer_.push(std::move(picture)))
      take(std::move(x));
  }
}

void clip_reader::take(av::frame_ptr picture) {
  if (start_ == AV_NOPTS_VALUE) {
    start_ = picture->pts;
    geometry_ = file_.geometry(picture->width, picture->height);
    require_size(geometry_.width(), geometry_.height(), config_.limits);
  }
  const auto base = file_.video().time_base;
  // Time stamps are whatever the file says, the extremes too.
  const auto since_start = av_sat_sub64(picture->pts, start_);
  end_ = std::max(end_, av_sat_add64(since_start, picture->pkt_duration));
  require_duration(static_cast<double>(since_start) * av_q2d(base), config_.limits);
  held_.times = clock_.push(av_rescale_q_rnd(since_start, base, frame_base, AV_ROUND_NEAR_INF));
  if (held_.times > 0)
    ready_.push_back(std::move(held_));
  held_ = {std::move(picture), 0, decoder_.coded_width(), decoder_.coded_height()};
}

void clip_reader::queue_sound(const AVPacket& packet) {
  // A sound file can promise the same bytes many times over; no honest one is larger than itself.
  sound_bytes_ += static_cast<uint64_t>(std::max(0, packet.size));
  if (sound_bytes_ > info().bytes)
    return;
  auto kept = av::make_packet();
  av::check(av_packet_ref(kept.get(), &packet), errc::internal, "The sound could not be kept.",
            "av_packet_ref");
  sound_.push_back(std::move(kept));
}

void clip_reader::finish() {
  decoder_.end();
  decode_ready();
  for (auto& x : deinterlacer_.finish())
    take(std::move(x));
  require_whole();
  decoder_.require_sound(config_.max_damaged_share);
  const auto base = file_.video().time_base;
  require_duration(static_cast<double>(end_) * av_q2d(base), config_.limits);
  held_.times = clock_.finish(av_rescale_q_rnd(end_, base, frame_base, AV_ROUND_NEAR_INF));
  if (held_.times > 0)
    ready_.push_back(std::move(held_));
}

void clip_reader::require_whole() const {
  const auto promised = file_.promised_packets();
  const auto missing = promised - decoder_.packets_seen();
  if (promised > 0 &&
      torn(static_cast<double>(missing), static_cast<double>(promised), rounding_packets))
    throw error(errc::video_truncated,
                sentence("The video is cut off: its header promises %lld frames, %lld can be "
                         "decoded.",
                         static_cast<long long>(promised),
                         static_cast<long long>(counts().pictures)),
                av::heard());
}

} // namespace musetalk::pipeline
