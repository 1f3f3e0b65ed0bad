#include "pipeline/video_writer.hpp"

#include "pipeline/sentence.hpp"

extern "C" {
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
}

namespace musetalk::pipeline {

namespace {

constexpr auto unwritten = "The converted video could not be written.";
constexpr int key_frame_seconds = 2;

int even(int x) {
  return x & ~1;
}

} // namespace

video_writer::video_writer(const std::filesystem::path& path, const picture_geometry& geometry,
                           const AVStream* sound, const write_config& config)
    : config_(config), frame_base_{1, config.fps}, geometry_(geometry), sound_source_(sound),
      file_(path) {
  auto* muxer = static_cast<AVFormatContext*>(nullptr);
  av::check(avformat_alloc_output_context2(&muxer, nullptr, "mp4", nullptr), errc::internal,
            unwritten, "avformat_alloc_output_context2");
  muxer_.reset(muxer);
  muxer->pb = file_.io();
  muxer->flags |= AVFMT_FLAG_CUSTOM_IO;
  muxer->opaque = &file_;
  muxer->io_open = &video_writer::open_second;
  muxer->io_close2 = &video_writer::close_second;
}

video_writer::~video_writer() = default;

int video_writer::open_second(AVFormatContext* muxer, AVIOContext** io, const char*, int flags,
                              AVDictionary**) {
  if ((flags & AVIO_FLAG_WRITE) != 0)
    return AVERROR(EPERM);
  try {
    *io = static_cast<av::output_file*>(muxer->opaque)->open_reader();
    return 0;
  } catch (const std::bad_alloc&) {
    return AVERROR(ENOMEM);
  }
}

int video_writer::close_second(AVFormatContext*, AVIOContext* io) {
  av::output_file::close_reader(io);
  return 0;
}

void video_writer::write(const AVFrame& stored) {
  const auto log = av::log_scope{};
  if (passes(stored)) {
    append(stored);
    return;
  }
  if (!shaper_ || !shaper_->fits(stored))
    shaper_.emplace(stored, frame_base_, chain_for_stored());
  shaper_->push(stored);
  for (const auto& x : shaper_->drain())
    append(*x);
}

void video_writer::write(const image& shown) {
  const auto log = av::log_scope{};
  const auto borrowed = av::make_frame();
  borrowed->format = AV_PIX_FMT_BGR24;
  borrowed->width = shown.width;
  borrowed->height = shown.height;
  borrowed->data[0] = const_cast<uint8_t*>(shown.pixels->data());
  borrowed->linesize[0] = shown.width * 3;
  if (!shaper_ || !shaper_->fits(*borrowed))
    shaper_.emplace(*borrowed, frame_base_,
                    sentence("crop=%d:%d:0:0,scale=out_range=tv%s,format=yuv420p,setsar=1",
                             even(shown.width), even(shown.height),
                             // The flag takes swscale's short way, as upstream's ffmpeg does.
                             config_.tag_bt709 ? ":out_color_matrix=bt709:flags=bicubic" : ""));
  // Without a buffer of its own the picture is copied, so nothing keeps the caller's bytes.
  shaper_->push(*borrowed);
  for (const auto& x : shaper_->drain())
    append(*x);
}

void video_writer::write_sound(AVPacket& packet, int64_t start) {
  if (!sound_)
    return;
  const auto log = av::log_scope{};
  sound_->write(packet, start);
  file_.require_written();
}

void video_writer::finish() {
  const auto log = av::log_scope{};
  encode(nullptr);
  if (sound_)
    sound_->finish();
  check_write(av_write_trailer(muxer_.get()), "av_write_trailer");
  avio_flush(file_.io());
  file_.require_written();
}

// Whether the encoder takes the picture without any conversion.
bool video_writer::passes(const AVFrame& stored) const {
  return stored.format == AV_PIX_FMT_YUV420P && geometry_.rotation_degrees == 0 &&
         !geometry_.stretched() && stored.width == geometry_.stored_width &&
         stored.height == geometry_.stored_height && stored.width % 2 == 0 &&
         stored.height % 2 == 0;
}

std::string video_writer::chain_for_stored() const {
  auto result =
      sentence("scale=%d:%d:out_range=tv", geometry_.square_width, geometry_.square_height);
  switch (geometry_.rotation_degrees) {
  case 90:
    result += ",transpose=clock";
    break;
  case 180:
    result += ",hflip,vflip";
    break;
  case 270:
    result += ",transpose=cclock";
    break;
  default:
    break;
  }
  return result + sentence(",format=yuv420p,crop=%d:%d:0:0:exact=1,setsar=1",
                           even(geometry_.width()), even(geometry_.height()));
}

void video_writer::append(const AVFrame& shaped) {
  if (!encoder_)
    start(shaped);
  const auto picture = av::share_frame(shaped);
  picture->pts = frames_++;
  picture->pict_type = AV_PICTURE_TYPE_NONE;
  picture->interlaced_frame = 0;
  encode(picture.get());
}

void video_writer::start(const AVFrame& first) {
  const auto* codec = avcodec_find_encoder_by_name("libx264");
  if (codec == nullptr)
    throw error(errc::internal, unwritten, "libav has no libx264");
  encoder_.reset(avcodec_alloc_context3(codec));
  if (!encoder_)
    throw std::bad_alloc{};
  auto& x = *encoder_;
  x.width = first.width;
  x.height = first.height;
  x.pix_fmt = AV_PIX_FMT_YUV420P;
  x.sample_aspect_ratio = {1, 1};
  x.time_base = frame_base_;
  x.framerate = {config_.fps, 1};
  if (config_.crf)
    av_opt_set_double(x.priv_data, "crf", *config_.crf, 0);
  else
    x.bit_rate = int64_t{config_.kilobits_per_second} * 1000;
  x.gop_size = key_frame_seconds * config_.fps;
  x.thread_count = av::codec_threads(config_.threads);
  x.flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  x.color_range = first.color_range;
  x.color_primaries = first.color_primaries;
  x.color_trc = first.color_trc;
  // RGB sources say "no matrix", which is none for 4:2:0; swscale has used this one.
  x.colorspace = first.colorspace == AVCOL_SPC_RGB ? AVCOL_SPC_SMPTE170M : first.colorspace;
  x.chroma_sample_location = first.chroma_location;
  if (config_.tag_bt709) {
    x.colorspace = AVCOL_SPC_BT709;
    x.color_primaries = AVCOL_PRI_BT709;
    x.color_trc = AVCOL_TRC_BT709;
  }
  av_opt_set(x.priv_data, "preset", config_.x264_preset.c_str(), 0);
  av::check(avcodec_open2(&x, codec, nullptr), errc::internal, unwritten, "avcodec_open2");
  track_ = avformat_new_stream(muxer_.get(), nullptr);
  if (track_ == nullptr || avcodec_parameters_from_context(track_->codecpar, &x) < 0)
    throw std::bad_alloc{};
  track_->time_base = frame_base_;
  track_->avg_frame_rate = x.framerate;
  if (sound_source_ != nullptr)
    sound_.emplace(*muxer_, *sound_source_, config_.max_seconds, config_.copy_sound);
  AVDictionary* options = nullptr;
  av_dict_set(&options, "movflags", "+faststart", 0);
  const auto result = avformat_write_header(muxer_.get(), &options);
  av_dict_free(&options);
  check_write(result, "avformat_write_header");
}

void video_writer::encode(AVFrame* picture) {
  av::check(avcodec_send_frame(encoder_.get(), picture), errc::internal, unwritten,
            "avcodec_send_frame");
  const auto packet = av::make_packet();
  for (;;) {
    const auto result = avcodec_receive_packet(encoder_.get(), packet.get());
    if (result == AVERROR(EAGAIN) || result == AVERROR_EOF)
      return;
    av::check(result, errc::internal, unwritten, "avcodec_receive_packet");
    packet->stream_index = track_->index;
    packet->duration = 1;
    av_packet_rescale_ts(packet.get(), frame_base_, track_->time_base);
    check_write(av_interleaved_write_frame(muxer_.get(), packet.get()),
                "av_interleaved_write_frame");
  }
}

void video_writer::check_write(int result, const char* call) const {
  file_.require_written();
  av::check(result, errc::storage_failed, unwritten, call);
}

} // namespace musetalk::pipeline
