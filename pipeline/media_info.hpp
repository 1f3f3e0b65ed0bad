#pragma once

#include <cstdint>
#include <string>

namespace musetalk::pipeline {

/// The rate of every avatar (spec 6.3, rule 7).
inline constexpr int32_t avatar_frames_per_second = 25;

/// What a video may be at most. From the settings.
struct media_limits {
  double max_video_seconds = 30.;
  int64_t max_pixels = 3840LL * 2160; ///< Width x height of one frame.
  int32_t min_side_pixels = 64;       ///< The smaller side.
  int64_t max_frames = 30 * 25;       ///< At 25 frames per second, after conversion.
  int32_t max_source_rate = 250;      ///< Frames per second of the source, on average.
  double max_probe_seconds = 2.;      ///< Wall time before a file is refused as unreadable.
};

/// What a container promises about its video track.
struct media_info {
  std::string container;   ///< libav's demuxer name.
  std::string video_codec; ///< libav's codec name.
  int32_t width = 0;       ///< Pixels as shown: rotation and sample aspect ratio applied.
  int32_t height = 0;
  double duration_s = 0.;
  double frame_rate = 0.;       ///< Average of the source.
  int32_t rotation_degrees = 0; ///< 0, 90, 180 or 270, clockwise.
  bool interlaced = false;
  bool has_audio = false;
  int64_t predicted_frames = 0; ///< At 25 frames per second.
  uint64_t bytes = 0;           ///< Of the file.
};

} // namespace musetalk::pipeline
