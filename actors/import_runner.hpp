#pragma once

#include "actors/interfaces.hpp"
#include "actors/metered.hpp"
#include "actors/stage_clock.hpp"
#include "pipeline/avatar_archive.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace musetalk::actors {

struct import_runner_config {
  pipeline::store_layout layout; ///< Where uploads lie.
  pipeline::media_limits limits;
  pipeline::face_methods faces; ///< For the manifest: how it was made elsewhere is not known.
  int32_t batch_frames = 8;
  std::chrono::milliseconds step_timeout{120'000}; ///< Of one request to the storage writer.
};

/// Whom the runner of an import works with.
struct import_runner_parts {
  registry_actor registry;
  storage_writer_actor storage;
};

struct import_runner_state {
  import_runner_config config;
  import_runner_parts parts;
  pipeline::job job; ///< As it was when the attempt began.
  std::optional<pipeline::avatar_archive> archive;
  std::optional<pipeline::archive_batch> read; ///< The next to be written.
  pipeline::job_stage stage = pipeline::job_stage::none;
  int64_t frames_done = 0; ///< Written.
  bool writing = false;
  bool ended = false; ///< It lets go: what is answered now means nothing any more.
  stage_clock times;

  static inline const char* name = "import-runner";
};

using import_runner_pointer = metered_actor<musetalk_runner_actor, import_runner_state>*;

/// Conducts one import: reads the archive of the job's upload, and has every frame encoded and
/// written anew, as those of a clip. While a batch is written, the next is read. However it ends,
/// staging is gone unless a version was published. Ends after telling the outcome. Spawn it
/// detached: it reads and decodes.
musetalk_runner_actor::behavior_type import_runner(import_runner_pointer self,
                                                   const import_runner_config& config,
                                                   const import_runner_parts& parts,
                                                   const pipeline::job& job);

} // namespace musetalk::actors
