#pragma once

namespace musetalk::pipeline {

/// What speech may be at most. From the settings.
struct speech_limits {
  double max_seconds = 600.;
  double max_probe_seconds = 2.; ///< Wall time before a file is refused as unreadable.
};

} // namespace musetalk::pipeline
