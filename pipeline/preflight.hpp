#pragma once

#include "pipeline/media_info.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace musetalk::pipeline {

/// Something about a video that a job would meet.
struct preflight_finding {
  std::string code;            ///< Of an error, or of the warnings that are no errors.
  std::string detail;          ///< Public sentence, with what was measured.
  std::string hint;            ///< What to do; empty: as for the error of that code.
  std::vector<int64_t> frames; ///< At 25 frames per second, where it was seen; empty: everywhere.
  bool fails_job = true;       ///< False: a warning.
};

/// What a job of a video would make, and what stands in its way.
struct preflight_report {
  media_info info;            ///< Default when the container could not be read.
  int64_t samples = 0;        ///< Frames that were looked at.
  uint64_t version_bytes = 0; ///< Predicted size of the version on disk.
  std::vector<preflight_finding> findings;

  bool passes() const {
    for (const auto& x : findings)
      if (x.fails_job)
        return false;
    return true;
  }
};

struct prepare_config;

/// Looks for everything that would keep a job of the video from completing: container and limits,
/// then faces and light in samples. Some seconds at most, without a device: faces are looked for
/// with the packaged networks whatever the backend is.
/// @param convert_only Mock jobs: faces do not matter.
/// @throws error `models_*`, `device_failed`; what is wrong with the video is in the report.
preflight_report examine_video(const std::filesystem::path& source, const prepare_config& config,
                               bool convert_only);

} // namespace musetalk::pipeline
