#pragma once

// What goes over the wire, and nothing else: names and shapes of every JSON answer. Empty texts and
// times that have not come yet are `null`; times are RFC 3339 UTC.

#include "http/message.hpp"
#include "pipeline/job.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace musetalk::actors {
struct device_status;
struct queue_status;
struct video_id;
} // namespace musetalk::actors

namespace musetalk::pipeline {
struct face_methods;
struct retention_plan;
struct weights_status;
} // namespace musetalk::pipeline

namespace musetalk::http {

using json = nlohmann::ordered_json;

/// Shares and seconds as people read them: a double's last digits are noise.
/// @param places 10 for one digit after the point, 100 for two.
double rounded(double x, double places);

/// One line of text; bytes that are no UTF-8 become U+FFFD.
std::string text_of(const json& x);

/// An answer of `application/json`.
response json_response(int status, const json& body);

/// `{job_id, avatar_id, kind, status, stage, fraction, frames_done, frames_total, position, eta_s,
/// attempt, created_at, started_at, finished_at, timings_ms, weights, error}`. `position` counts
/// the jobs ahead and is null unless queued; `stage` and the frames are null unless running. A job
/// that speaks has `speech` too: `{audio_name, version, video, fps, batch_size, start_frame,
/// sync_mode, crf}`.
json to_json(const pipeline::job_view& x);

/// `{sequence, job_id, avatar_id, status, attempt, at, actor, reason}`.
json to_json(const pipeline::job_event& x);

/// A job with `events`, the oldest first.
json to_json(const pipeline::job_history& x);

/// `{version, created_at, job_id, engine, weights, frames, width, height, duration_s, bytes,
/// video_sha256, apply_blur, replaced_at, checked_at}`.
json to_json(const pipeline::avatar_version& x);

/// `{avatar_id, tutor_id, status, created_at, updated_at, used_at, pinned, current_version,
/// versions, job_id, links}`: what `?detail=true` lists.
json to_json(const pipeline::avatar& x);

/// The same with `job` as an object (or null) instead of `job_id`: one avatar with all there is.
json to_json(const pipeline::avatar& x, const std::optional<pipeline::job_view>& job);

/// `{video_id, avatar_id, version, created_at, weights, audio_name, audio_sha256, frames, fps,
/// width, height, duration_s, bytes, options, links}`.
json to_json(const pipeline::spoken_video& x);

/// `{total, videos: [...]}`; `next_cursor` only when there is more.
json to_json(const pipeline::video_page& x);

/// `{avatar_id, current_version, total, versions}`, the oldest version first.
json versions_json(const pipeline::avatar& x);

/// `{total, avatars: ["id", ...]}`, or objects with `detail`; `next_cursor` only when there is
/// more.
json to_json(const pipeline::avatar_page& x, bool detail);

/// `{total, jobs: [...]}`; `next_cursor` only when there is more.
json to_json(const pipeline::job_page& x);

/// A list of jobs.
json jobs_json(const std::vector<pipeline::job_view>& x);

/// `{avatar_id, job_id, status, links}`: the answer to an upload or create.
json accepted_json(const pipeline::job_view& x);

/// `{avatar_id, video_id, deleted: true}`.
json deleted_json(const actors::video_id& x);
/// `{at, applied, bytes, bytes_kept, max_bytes, removals: [{avatar_id, version, bytes, reason,
/// detail, failure}]}`. `version` is null when the avatar goes with all of them.
json to_json(const pipeline::retention_plan& x);

/// `{avatar_id, deleted: true}`.
json deleted_json(std::string_view avatar_id);

/// `{status, mode, engine, models, device, queue}`. `status` is `ok`, or `degraded` when no avatar
/// can be made.
/// @param faces Told under `models`; of no meaning in mock mode.
json health_json(const pipeline::weights_status& weights, const actors::queue_status& queue,
                 std::string_view mode, std::string_view engine,
                 const pipeline::face_methods& faces);

} // namespace musetalk::http
