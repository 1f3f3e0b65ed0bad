#pragma once

// The plain structs that travel between actors beside those of `pipeline/`. Who sends them to whom
// is in `actors/interfaces.hpp`.

#include "actors/inspect.hpp"
#include "pipeline/avatar_store.hpp"
#include "pipeline/device_networks.hpp"
#include "pipeline/job.hpp"

#include <caf/meta/type_name.hpp>

#include <cstdint>
#include <map>
#include <string>

namespace musetalk::actors {

/// Names one job for its whole life; safe to show to clients.
struct job_id {
  std::string value;

  template <class Inspector>
  friend auto inspect(Inspector& f, job_id& x) {
    return f(caf::meta::type_name("job_id"), x.value);
  }

  friend bool operator==(const job_id&, const job_id&) = default;
};

/// Names one upload from its first byte to the end of its job.
struct upload_id {
  std::string value;

  template <class Inspector>
  friend auto inspect(Inspector& f, upload_id& x) {
    return f(caf::meta::type_name("upload_id"), x.value);
  }

  friend bool operator==(const upload_id&, const upload_id&) = default;
};

/// Names one avatar; checked against the id rule where it enters the service.
struct avatar_id {
  std::string value;

  template <class Inspector>
  friend auto inspect(Inspector& f, avatar_id& x) {
    return f(caf::meta::type_name("avatar_id"), x.value);
  }

  friend bool operator==(const avatar_id&, const avatar_id&) = default;
};

/// Names one video that an avatar made; checked where it enters the service.
struct video_id {
  std::string avatar_id;
  std::string value;

  template <class Inspector>
  friend auto inspect(Inspector& f, video_id& x) {
    return f(caf::meta::type_name("video_id"), x.avatar_id, x.value);
  }

  friend bool operator==(const video_id&, const video_id&) = default;
};

/// How the device orders work: the smaller goes first; equal classes in order of arrival.
enum class work_class : uint8_t {
  speak = 1, ///< A listener waits for it.
  create,    ///< A job of preparation.
};

/// The device as the health page shows it.
struct device_status {
  bool ready = false; ///< Networks are loaded.
  pipeline::device_report device;
  uint32_t waiting = 0;        ///< Requests in the device's queue.
  uint32_t running_frames = 0; ///< Frames in the execution now on the device.
  uint64_t executions = 0;     ///< Since the start.
  uint64_t frames = 0;         ///< Since the start.

  template <class Inspector>
  friend auto inspect(Inspector& f, device_status& x) {
    return f(caf::meta::type_name("device_status"), x.ready, x.device, x.waiting, x.running_frames,
             x.executions, x.frames);
  }
};

/// The queue as the health page shows it.
struct queue_status {
  uint32_t queued = 0;
  uint32_t running = 0;
  uint32_t limit = 0;
  uint64_t completed = 0; ///< Since the start.
  uint64_t failed = 0;
  uint64_t cancelled = 0;
  device_status device;
  double free_s = -1.; ///< Until a job leaves the queue; negative when unknown.

  template <class Inspector>
  friend auto inspect(Inspector& f, queue_status& x) {
    return f(caf::meta::type_name("queue_status"), x.queued, x.running, x.limit, x.completed,
             x.failed, x.cancelled, x.device, x.free_s);
  }
};

/// How a job ended, told by its runner.
struct job_outcome {
  std::string job_id;
  pipeline::job_state state = pipeline::job_state::failed; ///< completed, failed or cancelled.
  pipeline::job_failure failure;                           ///< When failed.
  pipeline::avatar_version version;                        ///< When one was made.
  pipeline::spoken_video video;                            ///< When one was made.
  std::map<std::string, int64_t> timings_ms;

  template <class Inspector>
  friend auto inspect(Inspector& f, job_outcome& x) {
    return f(caf::meta::type_name("job_outcome"), x.job_id, x.state, x.failure, x.version, x.video,
             x.timings_ms);
  }
};

/// What is to become of one version of an avatar.
struct version_change {
  std::string avatar_id;
  std::string version;
  std::string if_match; ///< As the client sent it; empty: whatever the avatar's state.
  pipeline::request_key key;

  template <class Inspector>
  friend auto inspect(Inspector& f, version_change& x) {
    return f(caf::meta::type_name("version_change"), x.avatar_id, x.version, x.if_match, x.key);
  }
};

} // namespace musetalk::actors
