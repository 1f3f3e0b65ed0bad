#include "pipeline/media_limits.hpp"

#include "errors/error.hpp"
#include "pipeline/sentence.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace musetalk::pipeline {

void require_pixels(int64_t width, int64_t height, const media_limits& limits) {
  // Sides first, so that the product cannot overflow.
  const auto side = std::numeric_limits<int32_t>::max();
  if (width > side || height > side || width * height > limits.max_pixels)
    throw error(errc::video_too_large,
                sentence("The picture has %lld x %lld pixels, %.1f million; the limit is %.1f "
                         "million.",
                         static_cast<long long>(width), static_cast<long long>(height),
                         static_cast<double>(width) * static_cast<double>(height) / 1e6,
                         static_cast<double>(limits.max_pixels) / 1e6));
}

void require_size(int32_t width, int32_t height, const media_limits& limits) {
  require_pixels(width, height, limits);
  if (std::min(width, height) < limits.min_side_pixels)
    throw error(errc::video_too_small,
                sentence("The picture has %d x %d pixels; its smaller side must have at least %d.",
                         width, height, limits.min_side_pixels));
}

void require_duration(double seconds, const media_limits& limits) {
  // Half a frame more is the rounding of containers.
  if (seconds > limits.max_video_seconds + .5 / avatar_frames_per_second)
    throw error(errc::video_too_long, sentence("The video is %.2f s long; the limit is %.2f s.",
                                               seconds, limits.max_video_seconds));
  if (frames_in(seconds) > limits.max_frames)
    throw error(errc::video_too_many_frames,
                sentence("The video has %lld frames at %d frames per second; the limit is %lld.",
                         static_cast<long long>(frames_in(seconds)), avatar_frames_per_second,
                         static_cast<long long>(limits.max_frames)));
}

void require_source_frames(int64_t frames, const media_limits& limits) {
  const auto limit =
      static_cast<int64_t>(std::ceil(limits.max_video_seconds)) * limits.max_source_rate;
  if (frames > limit)
    throw error(
        errc::video_too_many_frames,
        sentence("The video stores at least %lld frames; the limit is %lld (%d per second).",
                 static_cast<long long>(frames), static_cast<long long>(limit),
                 limits.max_source_rate));
}

bool torn(double missing, double promised, double rounding) {
  constexpr auto share = .02;
  return missing > std::max(rounding, share * promised);
}

int64_t frames_in(double seconds) {
  return std::llround(std::min(seconds, 1e12) * avatar_frames_per_second);
}

} // namespace musetalk::pipeline
