#include "pipeline/talking_video.hpp"

namespace musetalk::pipeline {

namespace {

write_config to_write_config(const talking_config& x, const speech_limits& limits) {
  auto result = write_config{};
  result.x264_preset = x.x264_preset;
  result.crf = x.crf;
  result.threads = x.threads;
  result.fps = x.fps;
  result.tag_bt709 = true;
  result.max_seconds = limits.max_seconds;
  // A copied track would keep the encoder's lead-in, which players do not skip in every container.
  result.copy_sound = false;
  return result;
}

} // namespace

talking_video::talking_video(const std::filesystem::path& path, const std::filesystem::path& speech,
                             const speech_limits& limits, int32_t width, int32_t height,
                             const talking_config& config)
    : speech_(speech, limits), writer_(path, make_geometry(width, height, 1, 1, 0),
                                       &speech_.track(), to_write_config(config, limits)),
      packet_(av::make_packet()), fps_(config.fps) {}

void talking_video::write(const image& frame) {
  writer_.write(frame);
  ++frames_;
  write_sound_until(static_cast<double>(frames_) / fps_);
}

void talking_video::finish() {
  writer_.finish();
}

void talking_video::write_sound_until(double seconds) {
  const auto base = av_q2d(speech_.track().time_base);
  while (!sound_ended_) {
    if (!packet_waits_ && !speech_.read(*packet_)) {
      sound_ended_ = true;
      return;
    }
    if (sound_start_ == AV_NOPTS_VALUE)
      sound_start_ = packet_->pts;
    packet_waits_ = packet_->pts != AV_NOPTS_VALUE && sound_start_ != AV_NOPTS_VALUE &&
                    static_cast<double>(packet_->pts - sound_start_) * base >= seconds;
    if (packet_waits_)
      return;
    writer_.write_sound(*packet_, sound_start_);
    av_packet_unref(packet_.get());
  }
}

} // namespace musetalk::pipeline
