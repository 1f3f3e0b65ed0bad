#pragma once

#include "actors/interfaces.hpp"
#include "actors/metered.hpp"
#include "actors/stage_clock.hpp"

#include <caf/actor_clock.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace musetalk::actors {

struct speech_runner_config {
  pipeline::store_layout layout;                    ///< Where uploads and versions lie.
  int32_t batch_frames = 8;                         ///< Frames of one batch, unless the job says.
  int32_t credit_batches = 3;                       ///< Batches that may be out; at least 1.
  std::chrono::milliseconds step_timeout{120'000};  ///< Of one request to a worker.
  std::chrono::milliseconds job_timeout{1'800'000}; ///< Of the whole attempt.
  std::chrono::milliseconds busy_retry{50}; ///< Until a device that was busy is asked again.
};

/// Whom the runner of a job that speaks works with.
struct speech_runner_parts {
  registry_actor registry;
  preprocessor_actor resolver; ///< For a sound that lies below a root.
  speech_reader_actor reader;  ///< This job's alone; ends with the runner.
  film_maker_actor maker;      ///< This job's alone; ends with the runner.
  gpu_scheduler_actor gpu;
  storage_writer_actor storage;
  std::function<pipeline::timestamp_us()> now_us;
};

struct speech_runner_state {
  /// A batch from its pull to the end of its write.
  struct batch {
    int64_t number = 0;
    pipeline::speech_batch frames;
    bool generating = false; ///< Its faces are being made.
    std::optional<std::vector<pipeline::image>> faces;
  };

  /// Requests that one worker has not answered yet.
  struct link {
    int32_t out = 0;
    bool down = false; ///< It ended: nothing is waited for any more.
  };

  speech_runner_config config;
  speech_runner_parts parts;
  pipeline::job job; ///< As it was when the attempt began.
  pipeline::speech_request request;
  pipeline::speech_plan plan;
  pipeline::job_stage stage = pipeline::job_stage::none;
  link resolver;
  link reader;
  link maker;
  link gpu;
  link storage;
  std::deque<batch> batches;
  int64_t batches_pulled = 0;
  bool pulling = false;
  bool writing = false;
  bool last_pulled = false;
  int64_t frames_done = 0; ///< Written.
  double fraction = 0.;    ///< Last told; never falls.
  bool cancel_wanted = false;
  bool discarding = false;
  std::optional<job_outcome> ending; ///< Set when the job lets go, told when nothing is out.
  caf::actor_clock::time_point deadline;
  stage_clock times;

  static inline const char* name = "speech-runner";
};

using speech_runner_pointer = metered_actor<musetalk_runner_actor, speech_runner_state>*;

/// Conducts one job that speaks: validate (avatar and sound), speak in a stream, verify, publish.
/// While one batch is computed the next is read and the one before is filmed; at most
/// `credit_batches` are out. However the job ends, nothing of it is with a worker any more when its
/// outcome is told, and its staging is gone. Ends after telling the outcome, and its two workers
/// with it. Never blocks.
musetalk_runner_actor::behavior_type speech_runner(speech_runner_pointer self,
                                                   const speech_runner_config& config,
                                                   const speech_runner_parts& parts,
                                                   const pipeline::job& job);

} // namespace musetalk::actors
