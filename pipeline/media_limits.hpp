#pragma once

#include "pipeline/media_info.hpp"

#include <cstdint>

namespace musetalk::pipeline {

// The limits, wherever something is measured that no header said. Each refusal tells what was
// measured and what is allowed.

/// @throws error `video_too_large`.
void require_pixels(int64_t width, int64_t height, const media_limits& limits);

/// @throws error `video_too_large`, `video_too_small`.
void require_size(int32_t width, int32_t height, const media_limits& limits);

/// @throws error `video_too_long`, `video_too_many_frames`.
void require_duration(double seconds, const media_limits& limits);

/// @throws error `video_too_many_frames`.
void require_source_frames(int64_t frames, const media_limits& limits);

/// Whether a clip that lacks this much of what its header promises was cut off; a little less is
/// how containers round.
bool torn(double missing, double promised, double rounding);

/// Frames at 25 per second.
int64_t frames_in(double seconds);

} // namespace musetalk::pipeline
