#pragma once

#include "pipeline/media_info.hpp"
#include "pipeline/speech.hpp"
#include "pipeline/speech_limits.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

namespace musetalk::pipeline {

/// How speech is read. From the settings; equal for all jobs.
struct speech_config {
  speech_limits limits;
  uint64_t cache_bytes = uint64_t{512} << 20; ///< For decoded frames of one job, kept compressed.
};

/// Reads one sound and one avatar together and hands out the frames of the talking video in order:
/// the avatar's picture, and what the networks need to make its face. Memory does not grow with
/// the length of the sound. Used by one thread at a time.
class speech_source {
public:
  virtual ~speech_source() = default;

  /// What will be made; known from the beginning.
  virtual const speech_plan& plan() const = 0;

  /// The next frames, at most `max_frames`, in order and without gaps; `last` is set with the final
  /// ones.
  /// @throws error `audio_*`, `avatar_damaged`, and those of `sound_analysis`. The source is of no
  /// use afterwards.
  virtual speech_batch next(int32_t max_frames) = 0;
};

/// The audio network of a device.
using sound_analysis_ptr = std::shared_ptr<sound_analysis>;

/// Makes the source of one video. Called on the thread that will use it.
using speech_source_factory =
    std::function<std::unique_ptr<speech_source>(const speech_request&, const sound_analysis_ptr&)>;

/// Opens sound and avatar. Hears the sound once to its end, so that its length is known and damage
/// is found before any work is done; nothing of it is kept.
/// @param analysis Not null; asked about one segment at a time, when its frames are near.
/// @throws error `audio_*`, `avatar_not_found`, `avatar_damaged`, `request_field_invalid` for a
/// first frame that the avatar does not have, `storage_failed`.
std::unique_ptr<speech_source> open_speech(const speech_request& request,
                                           const speech_config& config,
                                           const sound_analysis_ptr& analysis);

/// Checks that a file holds sound of a kind and length that this service takes, by its header.
/// @throws error `audio_*`, `storage_failed`.
media_info probe_speech(const std::filesystem::path& source, const speech_limits& limits);

} // namespace musetalk::pipeline
