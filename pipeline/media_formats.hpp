#pragma once

#include "pipeline/av.hpp"

#include <string>

namespace musetalk::pipeline {

/// Demuxers that may touch a file, as libav's comma list. All of them are containers with time
/// stamps that keep everything in the one file: no play lists, no image sequences, no devices.
const char* allowed_demuxers() noexcept;

/// The same for files of which only the sound is wanted.
const char* allowed_sound_demuxers() noexcept;

/// Decoders that may run, as libav's comma list: those of the two functions below.
const std::string& allowed_decoders();

bool video_codec_allowed(AVCodecID id) noexcept;
bool audio_codec_allowed(AVCodecID id) noexcept;

/// Audio that an MP4 may carry as it is and that players know there.
bool audio_fits_mp4(AVCodecID id) noexcept;

} // namespace musetalk::pipeline
