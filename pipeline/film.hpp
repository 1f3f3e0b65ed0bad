#pragma once

#include "pipeline/speech.hpp"
#include "pipeline/speech_limits.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace musetalk::pipeline {

/// How talking videos are encoded. From the settings; equal for all jobs.
struct film_config {
  speech_limits limits;
  std::string x264_preset = "veryfast";
  int32_t threads = 0; ///< 0 = one per core.
};

/// Makes the video of an avatar that speaks: puts faces into frames, encodes frames and sound.
/// Memory does not grow with its length. Used by one thread at a time. An unfinished file stays for
/// the caller to remove.
class film {
public:
  virtual ~film() = default;

  /// Appends frames in order.
  /// @param faces 256 x 256 BGR, one for each frame that has a face, in order.
  /// @throws error `internal` for another count of faces, `storage_*`.
  virtual void write(const speech_batch& batch, std::span<const image> faces) = 0;

  /// Completes the file. @throws error `storage_*`.
  virtual void finish() = 0;
};

using film_factory = std::function<std::unique_ptr<film>(const film_plan&)>;

/// @throws error `audio_*`, `storage_*`.
std::unique_ptr<film> open_film(const film_plan& plan, const film_config& config);

} // namespace musetalk::pipeline
