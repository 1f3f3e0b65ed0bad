#include "pipeline/media_formats.hpp"

#include <algorithm>
#include <array>

namespace musetalk::pipeline {

namespace {

constexpr auto video_codecs = std::to_array<AVCodecID>({
    AV_CODEC_ID_AV1,       AV_CODEC_ID_DNXHD,      AV_CODEC_ID_DVVIDEO,    AV_CODEC_ID_FFV1,
    AV_CODEC_ID_FLV1,      AV_CODEC_ID_H263,       AV_CODEC_ID_H264,       AV_CODEC_ID_HEVC,
    AV_CODEC_ID_MJPEG,     AV_CODEC_ID_MPEG1VIDEO, AV_CODEC_ID_MPEG2VIDEO, AV_CODEC_ID_MPEG4,
    AV_CODEC_ID_MSMPEG4V2, AV_CODEC_ID_MSMPEG4V3,  AV_CODEC_ID_PRORES,     AV_CODEC_ID_THEORA,
    AV_CODEC_ID_VP6F,      AV_CODEC_ID_VP8,        AV_CODEC_ID_VP9,
});

constexpr auto audio_codecs = std::to_array<AVCodecID>({
    AV_CODEC_ID_AAC,
    AV_CODEC_ID_AC3,
    AV_CODEC_ID_ALAC,
    AV_CODEC_ID_EAC3,
    AV_CODEC_ID_FLAC,
    AV_CODEC_ID_MP2,
    AV_CODEC_ID_MP3,
    AV_CODEC_ID_OPUS,
    AV_CODEC_ID_PCM_ALAW,
    AV_CODEC_ID_PCM_F32LE,
    AV_CODEC_ID_PCM_MULAW,
    AV_CODEC_ID_PCM_S16BE,
    AV_CODEC_ID_PCM_S16LE,
    AV_CODEC_ID_PCM_S24BE,
    AV_CODEC_ID_PCM_S24LE,
    AV_CODEC_ID_PCM_S32LE,
    AV_CODEC_ID_PCM_U8,
    AV_CODEC_ID_VORBIS,
});

constexpr auto mp4_audio_codecs = std::to_array<AVCodecID>({
    AV_CODEC_ID_AAC,
    AV_CODEC_ID_AC3,
    AV_CODEC_ID_EAC3,
    AV_CODEC_ID_MP3,
    AV_CODEC_ID_OPUS,
});

bool contains(const auto& ids, AVCodecID id) noexcept {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

std::string decoder_names() {
  auto result = std::string{};
  const auto add = [&](AVCodecID id) {
    if (const auto* found = avcodec_find_decoder(id); found != nullptr)
      result += (result.empty() ? "" : ",") + std::string{found->name};
  };
  std::for_each(video_codecs.begin(), video_codecs.end(), add);
  std::for_each(audio_codecs.begin(), audio_codecs.end(), add);
  return result;
}

} // namespace

const char* allowed_demuxers() noexcept {
  return "mov,matroska,avi,mpegts,mpeg,flv,ogg";
}

const char* allowed_sound_demuxers() noexcept {
  return "wav,w64,mp3,aac,aiff,flac,ogg,mov,matroska,avi,mpegts,mpeg,flv";
}

const std::string& allowed_decoders() {
  static const auto result = decoder_names();
  return result;
}

bool video_codec_allowed(AVCodecID id) noexcept {
  return contains(video_codecs, id);
}

bool audio_codec_allowed(AVCodecID id) noexcept {
  return contains(audio_codecs, id);
}

bool audio_fits_mp4(AVCodecID id) noexcept {
  return contains(mp4_audio_codecs, id);
}

} // namespace musetalk::pipeline
