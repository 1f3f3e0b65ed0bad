#include "pipeline/sound_track.hpp"

#include "pipeline/media_formats.hpp"
#include "pipeline/sentence.hpp"

extern "C" {
#include <libavutil/channel_layout.h>
#include <libavutil/common.h>
}

#include <algorithm>
#include <array>

namespace musetalk::pipeline {

namespace {

constexpr auto sample_rates = std::to_array({8000, 16000, 22050, 24000, 32000, 44100, 48000});

int rate_for(int source) {
  return std::find(sample_rates.begin(), sample_rates.end(), source) != sample_rates.end() ? source
                                                                                           : 48000;
}

bool copies(const AVCodecParameters& x) {
  // The muxer takes no MP3 of the lowest rates.
  const auto odd = x.codec_id == AV_CODEC_ID_MP3 && x.sample_rate < 16000;
  return audio_fits_mp4(x.codec_id) && x.sample_rate > 0 && !odd;
}

} // namespace

sound_track::sound_track(AVFormatContext& muxer, const AVStream& source, double max_seconds,
                         bool copy)
    : muxer_(muxer), source_(source), max_seconds_(max_seconds) {
  if (copy && copies(*source.codecpar))
    copy_setup();
  else if (!encode_setup())
    return;
}

void sound_track::copy_setup() {
  target_ = avformat_new_stream(&muxer_, nullptr);
  if (target_ == nullptr || avcodec_parameters_copy(target_->codecpar, source_.codecpar) < 0)
    throw std::bad_alloc{};
  target_->codecpar->codec_tag = 0;
  target_->time_base = source_.time_base;
}

bool sound_track::encode_setup() {
  const auto* decoder = avcodec_find_decoder(source_.codecpar->codec_id);
  const auto* encoder = avcodec_find_encoder(AV_CODEC_ID_AAC);
  if (decoder == nullptr || encoder == nullptr)
    return false;
  decoder_.reset(avcodec_alloc_context3(decoder));
  encoder_.reset(avcodec_alloc_context3(encoder));
  if (!decoder_ || !encoder_)
    throw std::bad_alloc{};
  decoder_->pkt_timebase = source_.time_base;
  decoder_->thread_count = 1;
  if (avcodec_parameters_to_context(decoder_.get(), source_.codecpar) < 0 ||
      avcodec_open2(decoder_.get(), decoder, nullptr) < 0)
    return false;
  const auto channels = source_.codecpar->ch_layout.nb_channels > 1 ? 2 : 1;
  encoder_->sample_rate = rate_for(source_.codecpar->sample_rate);
  encoder_->sample_fmt = AV_SAMPLE_FMT_FLTP;
  encoder_->bit_rate = 64000 * channels;
  encoder_->time_base = {1, encoder_->sample_rate};
  encoder_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  av_channel_layout_default(&encoder_->ch_layout, channels);
  if (avcodec_open2(encoder_.get(), encoder, nullptr) < 0)
    return false;
  auto* target = avformat_new_stream(&muxer_, nullptr);
  if (target == nullptr || avcodec_parameters_from_context(target->codecpar, encoder_.get()) < 0)
    throw std::bad_alloc{};
  target->time_base = encoder_->time_base;
  target_ = target;
  return true;
}

void sound_track::write(AVPacket& packet, int64_t start) {
  if (target_ == nullptr || packet.pts == AV_NOPTS_VALUE)
    return;
  packet.pts = av_sat_sub64(packet.pts, start);
  packet.dts = packet.dts == AV_NOPTS_VALUE ? packet.pts : av_sat_sub64(packet.dts, start);
  const auto begin_s = static_cast<double>(packet.pts) * av_q2d(source_.time_base);
  if (begin_s < 0. || begin_s > max_seconds_)
    return;
  if (decoder_)
    decode(&packet);
  else
    mux(packet, source_.time_base);
}

void sound_track::finish() {
  if (target_ == nullptr || !decoder_)
    return;
  decode(nullptr);
  if (resampler_) {
    resampler_->end();
    for (const auto& x : resampler_->drain())
      encode(x.get());
  }
  encode(nullptr);
}

void sound_track::decode(const AVPacket* packet) {
  if (avcodec_send_packet(decoder_.get(), packet) < 0)
    return;
  const auto sound = av::make_frame();
  while (avcodec_receive_frame(decoder_.get(), sound.get()) >= 0) {
    sound->pts = sound->best_effort_timestamp;
    if (!resampler_) {
      auto layout = std::array<char, 64>{};
      av_channel_layout_describe(&encoder_->ch_layout, layout.data(), layout.size());
      resampler_.emplace(*decoder_, source_.time_base,
                         sentence("aresample,aformat=sample_fmts=fltp:sample_rates=%d:"
                                  "channel_layouts=%s",
                                  encoder_->sample_rate, layout.data()));
      resampler_->set_samples(encoder_->frame_size);
    }
    resampler_->push(*sound);
    for (const auto& x : resampler_->drain())
      encode(x.get());
    av_frame_unref(sound.get());
  }
}

void sound_track::encode(AVFrame* sound) {
  if (sound != nullptr) {
    // Samples count the time, but never behind what the source says.
    const auto said = av_rescale_q(sound->pts, source_.time_base, encoder_->time_base);
    const auto slack = encoder_->sample_rate / 20;
    if (sound->pts != AV_NOPTS_VALUE && said > encoded_samples_ + slack)
      encoded_samples_ = said;
    sound->pts = encoded_samples_;
    encoded_samples_ += sound->nb_samples;
  }
  if (avcodec_send_frame(encoder_.get(), sound) < 0)
    return;
  const auto packet = av::make_packet();
  while (avcodec_receive_packet(encoder_.get(), packet.get()) >= 0)
    mux(*packet, encoder_->time_base);
}

void sound_track::mux(AVPacket& packet, AVRational base) {
  av_packet_rescale_ts(&packet, base, target_->time_base);
  // The muxer refuses a clip whose time stamps stand still or go back.
  if (last_dts_ != AV_NOPTS_VALUE && packet.dts <= last_dts_)
    return;
  last_dts_ = packet.dts;
  packet.pts = std::max(packet.pts, packet.dts);
  packet.stream_index = target_->index;
  packet.pos = -1;
  // The muxer refuses sound that it cannot parse. What the disk refuses, the file remembers.
  av_interleaved_write_frame(&muxer_, &packet);
}

} // namespace musetalk::pipeline
