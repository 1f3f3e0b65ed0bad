#pragma once

// How CAF walks through the pipeline's plain structs, so that they can travel between nodes. Kept
// here, because `pipeline/` knows nothing of CAF. Fields in the order of the struct; append only.

#include "pipeline/avatar_store.hpp"
#include "pipeline/device_networks.hpp"
#include "pipeline/face_methods.hpp"
#include "pipeline/job.hpp"
#include "pipeline/media_info.hpp"
#include "pipeline/preflight.hpp"
#include "pipeline/retention_plan.hpp"
#include "pipeline/speech.hpp"

#include <caf/error.hpp>
#include <caf/meta/load_callback.hpp>
#include <caf/meta/type_name.hpp>

#include <cstdint>
#include <vector>

namespace musetalk::pipeline {

template <class Inspector>
auto inspect(Inspector& f, job_failure& x) {
  return f(caf::meta::type_name("job_failure"), x.code, x.detail);
}

template <class Inspector>
auto inspect(Inspector& f, request_key& x) {
  return f(caf::meta::type_name("request_key"), x.key, x.fingerprint, x.target, x.at_us);
}

template <class Inspector>
auto inspect(Inspector& f, speech_options& x) {
  return f(caf::meta::type_name("speech_options"), x.fps, x.batch_size, x.start_frame, x.mode,
           x.crf);
}

template <class Inspector>
auto inspect(Inspector& f, job_request& x) {
  return f(caf::meta::type_name("job_request"), x.kind, x.avatar_id, x.tutor_id, x.apply_blur,
           x.upload_id, x.video_path, x.video_name, x.video_sha256, x.video_bytes, x.key, x.speech,
           x.priority, x.force, x.video_frames, x.video_pixels);
}

template <class Inspector>
auto inspect(Inspector& f, spoken_video& x) {
  return f(caf::meta::type_name("spoken_video"), x.video_id, x.avatar_id, x.version, x.created_us,
           x.weights, x.audio_name, x.audio_sha256, x.frames, x.fps, x.width, x.height,
           x.duration_s, x.bytes, x.options);
}

template <class Inspector>
auto inspect(Inspector& f, video_page& x) {
  return f(caf::meta::type_name("video_page"), x.total, x.videos, x.next_cursor);
}

template <class Inspector>
auto inspect(Inspector& f, stored_video& x) {
  return f(caf::meta::type_name("stored_video"), x.avatar_id, x.video_id, x.bytes);
}

template <class Inspector>
auto inspect(Inspector& f, speech_plan& x) {
  return f(caf::meta::type_name("speech_plan"), x.frames, x.width, x.height, x.duration_s);
}

template <class Inspector>
auto inspect(Inspector& f, job& x) {
  return f(caf::meta::type_name("job"), x.job_id, x.request, x.state, x.attempt, x.created_us,
           x.started_us, x.finished_us, x.version, x.weights, x.engine, x.failure, x.timings_ms,
           x.interruptions, x.queued_us, x.options_key);
}

template <class Inspector>
auto inspect(Inspector& f, job_progress& x) {
  return f(caf::meta::type_name("job_progress"), x.job_id, x.stage, x.frames_done, x.frames_total,
           x.fraction);
}

template <class Inspector>
auto inspect(Inspector& f, job_view& x) {
  return f(caf::meta::type_name("job_view"), x.record, x.progress, x.position, x.eta_s, x.replayed,
           x.reused);
}

template <class Inspector>
auto inspect(Inspector& f, job_event& x) {
  return f(caf::meta::type_name("job_event"), x.sequence, x.job_id, x.at_us, x.state, x.actor,
           x.reason, x.avatar_id, x.attempt);
}

template <class Inspector>
auto inspect(Inspector& f, job_history& x) {
  return f(caf::meta::type_name("job_history"), x.job, x.events);
}

template <class Inspector>
auto inspect(Inspector& f, event_query& x) {
  return f(caf::meta::type_name("event_query"), x.job_id, x.avatar_id, x.after, x.limit);
}

template <class Inspector>
auto inspect(Inspector& f, event_page& x) {
  return f(caf::meta::type_name("event_page"), x.events, x.last, x.more, x.jobs, x.forgotten);
}

template <class Inspector>
auto inspect(Inspector& f, job_filter& x) {
  // As bytes: CAF reads a vector of enums through an uninitialised one, which -Werror refuses.
  auto states = std::vector<uint8_t>{};
  for (auto state : x.states)
    states.push_back(static_cast<uint8_t>(state));
  auto load = [&]() -> caf::error {
    x.states.clear();
    for (auto state : states)
      x.states.push_back(static_cast<job_state>(state));
    return caf::none;
  };
  return f(caf::meta::type_name("job_filter"), states, x.avatar_id, x.tutor_id,
           caf::meta::load_callback(load));
}

template <class Inspector>
auto inspect(Inspector& f, job_page& x) {
  return f(caf::meta::type_name("job_page"), x.total, x.jobs, x.next_cursor);
}

template <class Inspector>
auto inspect(Inspector& f, avatar_version& x) {
  return f(caf::meta::type_name("avatar_version"), x.version, x.created_us, x.job_id, x.engine,
           x.weights, x.frames, x.width, x.height, x.duration_s, x.bytes, x.video_sha256,
           x.apply_blur, x.options_key, x.retired_us, x.checked_us);
}

template <class Inspector>
auto inspect(Inspector& f, link_plan& x) {
  return f(caf::meta::type_name("link_plan"), x.job_id, x.avatar_id, x.tutor_id, x.video_name,
           x.from);
}

template <class Inspector>
auto inspect(Inspector& f, avatar& x) {
  return f(caf::meta::type_name("avatar"), x.avatar_id, x.tutor_id, x.created_us, x.updated_us,
           x.status, x.current_version, x.versions, x.latest_job_id, x.used_us, x.pinned);
}

template <class Inspector>
auto inspect(Inspector& f, version_ref& x) {
  return f(caf::meta::type_name("version_ref"), x.avatar_id, x.version);
}

template <class Inspector>
auto inspect(Inspector& f, retention_removal& x) {
  return f(caf::meta::type_name("retention_removal"), x.avatar_id, x.version, x.bytes, x.reason,
           x.detail, x.failure);
}

template <class Inspector>
auto inspect(Inspector& f, retention_plan& x) {
  return f(caf::meta::type_name("retention_plan"), x.at_us, x.removals, x.bytes, x.bytes_kept,
           x.max_bytes, x.applied);
}

template <class Inspector>
auto inspect(Inspector& f, avatar_filter& x) {
  return f(caf::meta::type_name("avatar_filter"), x.tutor_id, x.status);
}

template <class Inspector>
auto inspect(Inspector& f, avatar_page& x) {
  return f(caf::meta::type_name("avatar_page"), x.total, x.avatars, x.next_cursor);
}

template <class Inspector>
auto inspect(Inspector& f, page_request& x) {
  return f(caf::meta::type_name("page_request"), x.limit, x.cursor);
}

template <class Inspector>
auto inspect(Inspector& f, media_info& x) {
  return f(caf::meta::type_name("media_info"), x.container, x.video_codec, x.width, x.height,
           x.duration_s, x.frame_rate, x.rotation_degrees, x.interlaced, x.has_audio,
           x.predicted_frames, x.bytes);
}

template <class Inspector>
auto inspect(Inspector& f, face_methods& x) {
  return f(caf::meta::type_name("face_methods"), x.backend, x.mask, x.mode);
}

template <class Inspector>
auto inspect(Inspector& f, version_plan& x) {
  return f(caf::meta::type_name("version_plan"), x.job_id, x.avatar_id, x.tutor_id, x.apply_blur,
           x.engine, x.weights, x.video_name, x.video_sha256, x.source, x.faces, x.options_key);
}

template <class Inspector>
auto inspect(Inspector& f, preflight_finding& x) {
  return f(caf::meta::type_name("preflight_finding"), x.code, x.detail, x.hint, x.frames,
           x.fails_job);
}

template <class Inspector>
auto inspect(Inspector& f, preflight_report& x) {
  return f(caf::meta::type_name("preflight_report"), x.info, x.samples, x.version_bytes,
           x.findings);
}

template <class Inspector>
auto inspect(Inspector& f, device_report& x) {
  return f(caf::meta::type_name("device_report"), x.device, x.name, x.weights, x.dtype,
           x.memory_bytes, x.note);
}

} // namespace musetalk::pipeline
