#pragma once

#include "actors/interfaces.hpp"
#include "actors/metered.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

namespace musetalk::actors {

/// What a PREPROCESSOR does its work with. Everything is called on the actor's own thread.
struct preprocessor_parts {
  /// A client's path to a file below a root: resolved path, size and SHA-256.
  std::function<pipeline::spooled_file(const std::string&, pipeline::job_kind)> resolve;
  /// Container, codec and limits.
  std::function<pipeline::media_info(const std::filesystem::path&, pipeline::job_kind)> probe;
  /// One clear face in samples. Not called for clips that are only converted.
  std::function<void(const pipeline::clip_request&, const pipeline::face_analysis_ptr&)>
      check_faces;
  /// What a job of a file would meet, found in a few seconds.
  std::function<pipeline::preflight_report(const std::filesystem::path&)> examine;
  pipeline::clip_preparer_factory open_clip;
  /// The device's face networks, asked on behalf of a job; answers null where there is no device.
  /// Calls on it wait: for that this actor has a thread of its own. Set by the system; none: null.
  std::function<pipeline::face_analysis_ptr(const job_id&, const std::stop_token&)> analysis;
};

struct preprocessor_state {
  std::string job_id;                                ///< Whose clip is open; empty when none is.
  std::unique_ptr<pipeline::clip_preparer> preparer; ///< Made and used on this actor's thread.

  static inline const char* name = "preprocessor";
};

using preprocessor_pointer = metered_actor<preprocessor_actor, preprocessor_state>*;

/// Reads clips, one at a time. Spawn it detached: it decodes and computes.
preprocessor_actor::behavior_type preprocessor(preprocessor_pointer self,
                                               const preprocessor_parts& parts);

} // namespace musetalk::actors
