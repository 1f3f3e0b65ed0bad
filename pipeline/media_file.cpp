#include "pipeline/media_file.hpp"

#include "pipeline/media_formats.hpp"
#include "pipeline/media_limits.hpp"
#include "pipeline/sentence.hpp"

extern "C" {
#include <libavutil/display.h>
}

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string_view>
#include <vector>

namespace musetalk::pipeline {

namespace {

constexpr auto unreadable = "The file is not a video that this service reads (MP4, MOV, MKV, WebM, "
                            "AVI, MPEG-TS, MPEG-PS, FLV or OGG).";

// Audio may come in packets of 2.5 ms; more than twice that is no audio.
constexpr double max_audio_packets_per_second = 1000.;

// Codecs count in whole blocks, so a picture within the limit may be a little larger for them.
int64_t coded_pixels(const media_limits& limits) {
  return limits.max_pixels / 4 * 5 + 4096;
}

int refuse_to_open(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
  return AVERROR(EPERM);
}

bool is_picture_only(const AVStream& x) {
  return (x.disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_STILL_IMAGE)) != 0;
}

double seconds_of(int64_t duration, AVRational base) {
  return duration == AV_NOPTS_VALUE ? 0.
                                    : std::max(0., static_cast<double>(duration) * av_q2d(base));
}

bool is_interlaced(AVFieldOrder order) {
  return order == AV_FIELD_TT || order == AV_FIELD_BB || order == AV_FIELD_TB ||
         order == AV_FIELD_BT;
}

int32_t rotation_of(const AVStream& x) {
  auto bytes = size_t{};
  const auto* matrix = av_stream_get_side_data(&x, AV_PKT_DATA_DISPLAYMATRIX, &bytes);
  if (matrix == nullptr || bytes < 9 * sizeof(int32_t))
    return 0;
  return quarter_turn(av_display_rotation_get(reinterpret_cast<const int32_t*>(matrix)));
}

} // namespace

void media_file::container_deleter::operator()(AVFormatContext* x) const noexcept {
  avformat_close_input(&x);
}

media_file::media_file(const std::filesystem::path& source, const media_limits& limits)
    : limits_(limits), file_(source) {
  const auto log = av::log_scope{};
  const auto budget = std::chrono::duration<double>(limits.max_probe_seconds);
  file_.set_deadline(std::chrono::steady_clock::now() +
                     std::chrono::duration_cast<std::chrono::nanoseconds>(budget));
  open_container();
  require_declared_sizes();
  read_streams();
  choose_tracks();
  fill_info();
  require_limits();
}

media_file::~media_file() = default;

int media_file::interrupted(void* self) {
  return static_cast<const media_file*>(self)->file_.expired() ? 1 : 0;
}

void media_file::open_container() {
  auto* context = avformat_alloc_context();
  if (context == nullptr)
    throw std::bad_alloc{};
  context->pb = file_.io();
  context->flags |= AVFMT_FLAG_CUSTOM_IO;
  context->interrupt_callback = {&media_file::interrupted, this};
  context->io_open = &refuse_to_open;
  context->format_whitelist = av_strdup(allowed_demuxers());
  context->codec_whitelist = av_strdup(allowed_decoders().c_str());
  context->protocol_whitelist = av_strdup("none");
  context->max_streams = 32;
  context->probesize = 5 << 20;
  context->max_analyze_duration = 5 * AV_TIME_BASE;
  // Frees the context when it fails.
  const auto result = avformat_open_input(&context, "", nullptr, nullptr);
  context_.reset(result >= 0 ? context : nullptr);
  if (result == AVERROR_EXIT)
    throw_slow();
  if (result < 0 && av::heard().find("moov atom not found") != std::string::npos)
    throw error(errc::video_truncated,
                sentence("The file ends after %llu bytes, before its index: it is cut off or was "
                         "still being written.",
                         static_cast<unsigned long long>(file_.bytes())),
                av::heard());
  av::check(result, errc::video_unreadable, unreadable, "avformat_open_input");
}

void media_file::throw_slow() const {
  throw error(
      errc::video_unreadable,
      sentence("The file could not be recognized within %.1f s.", limits_.max_probe_seconds),
      av::heard());
}

void media_file::require_declared_sizes() const {
  // Before anything is decoded; containers without a header have no tracks yet.
  for (auto i = 0u; i < context_->nb_streams; ++i) {
    const auto& parameters = *context_->streams[i]->codecpar;
    if (parameters.codec_type == AVMEDIA_TYPE_VIDEO && parameters.width > 0 &&
        !is_picture_only(*context_->streams[i]))
      require_pixels(parameters.width, parameters.height, limits_);
  }
}

void media_file::read_streams() {
  auto options = std::vector<AVDictionary*>(context_->nb_streams, nullptr);
  for (auto& x : options) {
    av_dict_set_int(&x, "max_pixels", coded_pixels(limits_), 0);
    av_dict_set(&x, "threads", "1", 0);
  }
  const auto result = avformat_find_stream_info(context_.get(), options.data());
  for (auto& x : options)
    av_dict_free(&x);
  if (result == AVERROR_EXIT || file_.expired())
    throw_slow();
  av::check(result, errc::video_unreadable, unreadable, "avformat_find_stream_info");
}

void media_file::choose_tracks() {
  const auto chosen = av_find_best_stream(context_.get(), AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  if (chosen < 0 || is_picture_only(*context_->streams[chosen]))
    throw error(
        errc::video_no_track,
        sentence("None of the tracks in the file (%u) has a moving picture.", context_->nb_streams),
        av::heard());
  video_ = context_->streams[chosen];
  const auto codec = video_->codecpar->codec_id;
  decoder_ = video_codec_allowed(codec) ? avcodec_find_decoder(codec) : nullptr;
  if (decoder_ == nullptr)
    throw error(errc::video_unreadable,
                sentence("The video codec %s is not supported.", avcodec_get_name(codec)));
  const auto sound =
      av_find_best_stream(context_.get(), AVMEDIA_TYPE_AUDIO, -1, chosen, nullptr, 0);
  if (sound >= 0 && audio_codec_allowed(context_->streams[sound]->codecpar->codec_id))
    audio_ = context_->streams[sound];
  for (auto i = 0u; i < context_->nb_streams; ++i) {
    if (context_->streams[i] != video_ && context_->streams[i] != audio_)
      context_->streams[i]->discard = AVDISCARD_ALL;
  }
}

void media_file::fill_info() {
  const auto& parameters = *video_->codecpar;
  const auto shown = geometry(parameters.width, parameters.height);
  info_.container = context_->iformat->name;
  info_.video_codec = avcodec_get_name(parameters.codec_id);
  info_.width = shown.width();
  info_.height = shown.height();
  info_.rotation_degrees = shown.rotation_degrees;
  info_.interlaced = is_interlaced(parameters.field_order);
  info_.has_audio = audio_ != nullptr;
  info_.bytes = file_.bytes();
  info_.duration_s = seconds_of(video_->duration, video_->time_base);
  if (info_.duration_s == 0.)
    info_.duration_s = seconds_of(context_->duration, AV_TIME_BASE_Q);
  // The demuxer corrects a cut AVI's length; its header still says how many ticks there were.
  if (info_.container == "avi" && video_->nb_frames > 0)
    info_.duration_s = std::max(info_.duration_s, seconds_of(video_->nb_frames, video_->time_base));
  if (video_->avg_frame_rate.num > 0 && video_->avg_frame_rate.den > 0)
    info_.frame_rate = av_q2d(video_->avg_frame_rate);
  info_.predicted_frames = frames_in(info_.duration_s);
}

void media_file::require_limits() const {
  if (info_.width <= 0 || info_.height <= 0) {
    // The decoder has refused the picture; its log has the size.
    auto width = 0u;
    auto height = 0u;
    const auto said = av::heard();
    const auto at = said.find("Picture size ");
    if (at != std::string::npos &&
        std::sscanf(said.c_str() + at, "Picture size %ux%u", &width, &height) == 2)
      require_pixels(width, height, limits_);
    throw error(errc::video_unreadable, "The size of the picture cannot be told.", said);
  }
  require_pixels(video_->codecpar->width, video_->codecpar->height, limits_);
  require_size(info_.width, info_.height, limits_);
  require_duration(info_.duration_s, limits_);
  require_source_frames(promised_packets(), limits_);
}

bool media_file::read(AVPacket& to) {
  constexpr auto max_bad_reads = 64;
  const auto most =
      limits_.max_video_seconds * (limits_.max_source_rate + max_audio_packets_per_second) + 1e4;
  for (auto bad_reads = 0; bad_reads < max_bad_reads;) {
    const auto result = av_read_frame(context_.get(), &to);
    if (result < 0) {
      if (result != AVERROR_INVALIDDATA && result != AVERROR(EAGAIN))
        return false;
      ++bad_reads;
      continue;
    }
    if (static_cast<double>(++packets_read_) > most)
      throw error(errc::video_too_many_frames,
                  sentence("The file has more than %.0f packets, which no video of %.2f s needs.",
                           most, limits_.max_video_seconds));
    if (to.stream_index == video_->index || (audio_ != nullptr && to.stream_index == audio_->index))
      return true;
    av_packet_unref(&to);
  }
  return false;
}

void media_file::drop_audio() noexcept {
  if (audio_ != nullptr)
    audio_->discard = AVDISCARD_ALL;
}

bool media_file::seek(double seconds) {
  const auto target =
      start() + static_cast<int64_t>(std::llround(seconds / av_q2d(video_->time_base)));
  return av_seek_frame(context_.get(), video_->index, target, AVSEEK_FLAG_BACKWARD) >= 0;
}

int64_t media_file::promised_packets() const {
  const auto name = std::string_view{context_->iformat->name};
  return name.starts_with("mov") ? avformat_index_get_entries_count(video_) : 0;
}

int64_t media_file::start() const noexcept {
  return video_->start_time == AV_NOPTS_VALUE ? 0 : video_->start_time;
}

av::codec_ptr media_file::open_decoder(int32_t threads) const {
  auto result = av::codec_ptr{avcodec_alloc_context3(decoder_)};
  if (!result)
    throw std::bad_alloc{};
  av::check(avcodec_parameters_to_context(result.get(), video_->codecpar), errc::video_unreadable,
            unreadable, "avcodec_parameters_to_context");
  result->pkt_timebase = video_->time_base;
  result->max_pixels = coded_pixels(limits_);
  result->thread_count = av::codec_threads(threads);
  av::check(avcodec_open2(result.get(), decoder_, nullptr), errc::video_unreadable,
            "The video's codec could not be started.", "avcodec_open2");
  return result;
}

picture_geometry media_file::geometry(int32_t width, int32_t height) const {
  const auto aspect = av_guess_sample_aspect_ratio(context_.get(), video_, nullptr);
  return make_geometry(width, height, aspect.num, aspect.den, rotation_of(*video_));
}

} // namespace musetalk::pipeline
