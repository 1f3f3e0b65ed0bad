#include "pipeline/speech_file.hpp"

#include "pipeline/media_formats.hpp"
#include "pipeline/sentence.hpp"

#include <algorithm>

namespace musetalk::pipeline {

namespace {

constexpr auto unreadable = "The file is not sound that this service reads (WAV, MP3, M4A, AAC, "
                            "Opus, Ogg, FLAC, AIFF, or the sound of a video).";

constexpr int32_t max_channels = 64;
constexpr int32_t max_rate_hz = 768'000;

int refuse_to_open(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
  return AVERROR(EPERM);
}

double seconds_of(int64_t duration, AVRational base) {
  return duration == AV_NOPTS_VALUE ? 0.
                                    : std::max(0., static_cast<double>(duration) * av_q2d(base));
}

} // namespace

void speech_file::container_deleter::operator()(AVFormatContext* x) const noexcept {
  avformat_close_input(&x);
}

speech_file::speech_file(const std::filesystem::path& source, const speech_limits& limits)
    : limits_(limits), file_(source) {
  const auto log = av::log_scope{};
  const auto budget = std::chrono::duration<double>(limits.max_probe_seconds);
  file_.set_deadline(std::chrono::steady_clock::now() +
                     std::chrono::duration_cast<std::chrono::nanoseconds>(budget));
  open_container();
  choose_track();
  fill_info();
  file_.clear_deadline();
}

speech_file::~speech_file() = default;

int speech_file::interrupted(void* self) {
  return static_cast<const speech_file*>(self)->file_.expired() ? 1 : 0;
}

void speech_file::open_container() {
  auto* context = avformat_alloc_context();
  if (context == nullptr)
    throw std::bad_alloc{};
  context->pb = file_.io();
  context->flags |= AVFMT_FLAG_CUSTOM_IO;
  context->interrupt_callback = {&speech_file::interrupted, this};
  context->io_open = &refuse_to_open;
  context->format_whitelist = av_strdup(allowed_sound_demuxers());
  context->codec_whitelist = av_strdup(allowed_decoders().c_str());
  context->protocol_whitelist = av_strdup("none");
  context->max_streams = 32;
  context->probesize = 5 << 20;
  context->max_analyze_duration = 5 * AV_TIME_BASE;
  // Frees the context when it fails.
  const auto opened = avformat_open_input(&context, "", nullptr, nullptr);
  context_.reset(opened >= 0 ? context : nullptr);
  if (opened == AVERROR_EXIT)
    throw error(
        errc::audio_unreadable,
        sentence("The file could not be recognized within %.1f s.", limits_.max_probe_seconds),
        av::heard());
  av::check(opened, errc::audio_unreadable, unreadable, "avformat_open_input");
  // Pictures are nobody's business here, and their codecs the largest surface.
  for (auto i = 0u; i < context_->nb_streams; ++i) {
    if (context_->streams[i]->codecpar->codec_type != AVMEDIA_TYPE_AUDIO)
      context_->streams[i]->discard = AVDISCARD_ALL;
  }
  av::check(avformat_find_stream_info(context_.get(), nullptr), errc::audio_unreadable, unreadable,
            "avformat_find_stream_info");
}

void speech_file::choose_track() {
  const auto chosen = av_find_best_stream(context_.get(), AVMEDIA_TYPE_AUDIO, -1, -1, nullptr, 0);
  if (chosen < 0)
    throw error(errc::audio_no_track,
                sentence("None of the tracks in the file (%u) is sound.", context_->nb_streams),
                av::heard());
  track_ = context_->streams[chosen];
  const auto codec = track_->codecpar->codec_id;
  decoder_ = audio_codec_allowed(codec) ? avcodec_find_decoder(codec) : nullptr;
  if (decoder_ == nullptr)
    throw error(errc::audio_unreadable,
                sentence("The audio codec %s is not supported.", avcodec_get_name(codec)));
  for (auto i = 0u; i < context_->nb_streams; ++i) {
    if (context_->streams[i] != track_)
      context_->streams[i]->discard = AVDISCARD_ALL;
  }
}

void speech_file::fill_info() {
  const auto& parameters = *track_->codecpar;
  info_.container = context_->iformat->name;
  info_.codec = avcodec_get_name(parameters.codec_id);
  info_.channels = parameters.ch_layout.nb_channels;
  info_.rate_hz = parameters.sample_rate;
  info_.duration_s = seconds_of(track_->duration, track_->time_base);
  if (info_.duration_s == 0.)
    info_.duration_s = seconds_of(context_->duration, AV_TIME_BASE_Q);
  if (info_.channels < 1 || info_.channels > max_channels || info_.rate_hz < 1 ||
      info_.rate_hz > max_rate_hz)
    throw error(errc::audio_unreadable,
                sentence("The sound has %d channels at %d Hz; this service reads 1 to %d channels "
                         "at up to %d Hz.",
                         info_.channels, info_.rate_hz, max_channels, max_rate_hz));
  if (info_.duration_s > limits_.max_seconds)
    throw error(errc::audio_too_long, sentence("The sound is %.2f s long; the limit is %.2f s.",
                                               info_.duration_s, limits_.max_seconds));
}

bool speech_file::read(AVPacket& to) {
  constexpr auto max_bad_reads = 64;
  for (auto bad_reads = 0; bad_reads < max_bad_reads;) {
    const auto result = av_read_frame(context_.get(), &to);
    if (result < 0) {
      if (result != AVERROR_INVALIDDATA && result != AVERROR(EAGAIN))
        return false;
      ++bad_reads;
      continue;
    }
    if (to.stream_index == track_->index)
      return true;
    av_packet_unref(&to);
  }
  return false;
}

av::codec_ptr speech_file::open_decoder() const {
  auto result = av::codec_ptr{avcodec_alloc_context3(decoder_)};
  if (!result)
    throw std::bad_alloc{};
  av::check(avcodec_parameters_to_context(result.get(), track_->codecpar), errc::audio_unreadable,
            unreadable, "avcodec_parameters_to_context");
  result->pkt_timebase = track_->time_base;
  result->thread_count = 1;
  av::check(avcodec_open2(result.get(), decoder_, nullptr), errc::audio_unreadable,
            "The codec of the sound could not be started.", "avcodec_open2");
  return result;
}

} // namespace musetalk::pipeline
