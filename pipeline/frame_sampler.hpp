#pragma once

#include "pipeline/image.hpp"
#include "pipeline/media_info.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>

namespace musetalk::pipeline {

/// Shows `take` a few pictures spread over a clip, as shown (rotated, square pixels, BGR), without
/// decoding all of it: it seeks to key pictures and decodes at most two seconds' worth between two
/// samples, so samples of a clip with few key pictures crowd towards its
/// start.
/// @param count 1 or more. Short clips give fewer.
/// @param threads For the decoder; 0 = one per core.
/// @returns How many were shown; at least one.
/// @throws error `video_*`, and whatever `take` throws.
int32_t sample_frames(const std::filesystem::path& source, const media_limits& limits,
                      int32_t count, int32_t threads,
                      const std::function<void(const image&)>& take);

/// The same, with the time of each picture in the clip, seconds.
int32_t sample_frames_in_time(const std::filesystem::path& source, const media_limits& limits,
                              int32_t count, int32_t threads,
                              const std::function<void(const image&, double seconds)>& take);

} // namespace musetalk::pipeline
