#pragma once

#include "actors/interfaces.hpp"
#include "actors/metered.hpp"
#include "actors/stage_clock.hpp"

#include <caf/actor_clock.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace musetalk::actors {

struct musetalk_runner_config {
  pipeline::store_layout layout;                   ///< Where uploads lie.
  bool mock = false;                               ///< Keep video and metadata, prepare nothing.
  pipeline::face_methods faces;                    ///< For the manifest.
  int32_t batch_frames = 8;                        ///< Frames of one batch.
  int32_t credit_batches = 3;                      ///< Batches that may be out at once; at least 1.
  std::chrono::milliseconds step_timeout{120'000}; ///< Of one request to a worker.
  std::chrono::milliseconds job_timeout{1'800'000}; ///< Of the whole attempt.
  std::chrono::milliseconds busy_retry{50}; ///< Until a device that was busy is asked again.
};

/// Whom a MUSETALK RUNNER works with.
struct musetalk_runner_parts {
  registry_actor registry;
  preprocessor_actor preprocessor; ///< This job's alone.
  gpu_scheduler_actor gpu;         ///< Null in mock mode.
  storage_writer_actor storage;
};

struct musetalk_runner_state {
  /// A batch from its pull to the end of its write.
  struct batch {
    int64_t number = 0;
    pipeline::prepared_batch prepared;
    bool encoding = false; ///< Its crops are with the device.
    std::optional<std::vector<pipeline::latent>> latents;
  };

  /// Requests that one worker has not answered yet.
  struct link {
    int32_t out = 0;
    bool down = false; ///< It ended: nothing is waited for any more.
  };

  musetalk_runner_config config;
  musetalk_runner_parts parts;
  pipeline::job job; ///< As it was when the attempt began.
  pipeline::clip_request clip;
  std::stop_source stop; ///< Ends what workers do for the job between two pieces of it.
  pipeline::job_stage stage = pipeline::job_stage::none;
  link preprocessor;
  link gpu;
  link storage;
  std::deque<batch> batches; ///< Pulled, not yet written; in order of the clip.
  int64_t batches_pulled = 0;
  bool pulling = false;
  bool writing = false;
  bool last_pulled = false;
  int64_t frames_total = 0; ///< Predicted.
  int64_t frames_done = 0;  ///< Written; only decoded in mock mode.
  double fraction = 0.;     ///< Last told; never falls.
  bool cancel_wanted = false;
  bool discarding = false;
  std::optional<job_outcome> ending; ///< Set when the job lets go, told when nothing is out.
  caf::actor_clock::time_point deadline;
  stage_clock times;

  static inline const char* name = "musetalk-runner";
};

using musetalk_runner_pointer = metered_actor<musetalk_runner_actor, musetalk_runner_state>*;

/// Conducts one job: validate, prepare in a stream (or convert), verify, publish. At most
/// `credit_batches` batches are out; frames are written in the order of the clip. However the job
/// ends, nothing of it is with a worker any more when its outcome is told, but for one execution
/// that the device may be in the middle of, and staging is gone unless a version was published.
/// Ends after telling the outcome. Never blocks.
musetalk_runner_actor::behavior_type musetalk_runner(musetalk_runner_pointer self,
                                                     const musetalk_runner_config& config,
                                                     const musetalk_runner_parts& parts,
                                                     const pipeline::job& job);

} // namespace musetalk::actors
