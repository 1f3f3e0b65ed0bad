#include "pipeline/speech_reader.hpp"

#include "pipeline/sentence.hpp"

extern "C" {
#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>
}

#include <algorithm>
#include <cmath>

namespace musetalk::pipeline {

namespace {

constexpr double most_damaged_share = 0.02; // of the packets
constexpr int64_t always_forgiven_packets = 2;

} // namespace

void speech_reader::resampler_deleter::operator()(SwrContext* x) const noexcept {
  swr_free(&x);
}

speech_reader::speech_reader(const std::filesystem::path& source, const speech_limits& limits)
    : file_(source, limits), decoder_(file_.open_decoder()), packet_(av::make_packet()),
      sound_(av::make_frame()) {}

speech_reader::~speech_reader() = default;

std::vector<float> speech_reader::next(size_t count) {
  const auto log = av::log_scope{};
  while (ready_.size() < count && pump())
    require_numbers();
  count = std::min(count, ready_.size());
  const auto end = ready_.begin() + static_cast<ptrdiff_t>(count);
  auto result = std::vector<float>(ready_.begin(), end);
  ready_.erase(ready_.begin(), end);
  checked_ = ready_.size();
  return result;
}

bool speech_reader::pump() {
  if (ended_)
    return false;
  if (file_.read(*packet_)) {
    ++packets_;
    decode(packet_.get());
    av_packet_unref(packet_.get());
    return true;
  }
  ended_ = true;
  decode(nullptr);
  if (resampler_)
    resample(nullptr);
  require_sound();
  return true;
}

void speech_reader::decode(const AVPacket* packet) {
  if (avcodec_send_packet(decoder_.get(), packet) < 0) {
    ++bad_packets_;
    return;
  }
  while (avcodec_receive_frame(decoder_.get(), sound_.get()) >= 0) {
    if (!resampler_ || !same_form(*sound_)) {
      if (resampler_)
        resample(nullptr);
      start_resampler(*sound_);
    }
    resample(sound_.get());
    av_frame_unref(sound_.get());
  }
}

bool speech_reader::same_form(const AVFrame& sound) const noexcept {
  return sound.sample_rate == rate_hz_ && sound.format == format_ &&
         sound.ch_layout.nb_channels == channels_;
}

void speech_reader::start_resampler(const AVFrame& sound) {
  rate_hz_ = sound.sample_rate;
  format_ = sound.format;
  channels_ = sound.ch_layout.nb_channels;
  auto from = AVChannelLayout{};
  av_channel_layout_default(&from, channels_);
  auto to = AVChannelLayout AV_CHANNEL_LAYOUT_MONO;
  auto* made = static_cast<SwrContext*>(nullptr);
  const auto result =
      swr_alloc_set_opts2(&made, &to, AV_SAMPLE_FMT_FLT, speech_rate_hz, &from,
                          static_cast<AVSampleFormat>(format_), rate_hz_, 0, nullptr);
  resampler_.reset(made);
  av::check(result, errc::audio_unreadable, "The sound cannot be resampled.",
            "swr_alloc_set_opts2");
  // The mean, not what loudspeakers make of several channels.
  const auto mean = std::vector<double>(static_cast<size_t>(channels_), 1. / channels_);
  av_opt_set_int(made, "resampler", SWR_ENGINE_SOXR, 0);
  av_opt_set_double(made, "precision", 20., 0);
  av::check(swr_set_matrix(made, mean.data(), channels_), errc::audio_unreadable,
            "The channels of the sound cannot be mixed.", "swr_set_matrix");
  av::check(swr_init(made), errc::audio_unreadable, "The sound cannot be resampled.", "swr_init");
}

// Without sound: what the resampler still holds.
void speech_reader::resample(const AVFrame* sound) {
  const auto given = sound != nullptr ? sound->nb_samples : 0;
  const auto room = swr_get_out_samples(resampler_.get(), given);
  if (room <= 0)
    return;
  const auto before = ready_.size();
  ready_.resize(before + static_cast<size_t>(room));
  auto* to = reinterpret_cast<uint8_t*>(ready_.data() + before);
  const auto** from =
      sound != nullptr ? const_cast<const uint8_t**>(sound->extended_data) : nullptr;
  const auto made = swr_convert(resampler_.get(), &to, room, from, given);
  ready_.resize(before + static_cast<size_t>(std::max(made, 0)));
  av::check(made, errc::audio_damaged, "The sound cannot be resampled.", "swr_convert");
  samples_ += made;
  const auto seconds = static_cast<double>(samples_) / speech_rate_hz;
  if (seconds > file_.limits().max_seconds)
    throw error(errc::audio_too_long, sentence("The sound is longer than %.2f s, the limit.",
                                               file_.limits().max_seconds));
}

void speech_reader::require_numbers() {
  const auto begin = ready_.begin() + static_cast<ptrdiff_t>(std::min(checked_, ready_.size()));
  const auto bad = std::find_if(begin, ready_.end(), [](float x) { return !std::isfinite(x); });
  checked_ = ready_.size();
  if (bad == ready_.end())
    return;
  const auto at = samples_ - (ready_.end() - bad);
  throw error(errc::audio_damaged,
              sentence("The sound holds a sample that is no number, at %.2f s.",
                       static_cast<double>(at) / speech_rate_hz));
}

void speech_reader::require_sound() const {
  const auto share = std::llround(most_damaged_share * static_cast<double>(packets_));
  const auto most = std::max(always_forgiven_packets, int64_t{share});
  if (samples_ == 0 && bad_packets_ == 0)
    throw error(errc::audio_too_short, "The sound has not a single sample.", av::heard());
  if (samples_ == 0 || bad_packets_ > most)
    throw error(errc::audio_damaged,
                sentence("%lld of %lld packets of sound cannot be decoded; the limit is %lld.",
                         static_cast<long long>(bad_packets_), static_cast<long long>(packets_),
                         static_cast<long long>(most)),
                av::heard());
}

} // namespace musetalk::pipeline
