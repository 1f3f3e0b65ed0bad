#include "http/problem.hpp"

#include "http/json.hpp"

namespace musetalk::http {

namespace {

constexpr auto see_log = std::string_view{
    "This is a fault of the service. Tell its operator the request_id: the log has the reason."};
constexpr auto other_video = std::string_view{
    "Check that the file plays from start to end, or export it again as MP4 (H.264)."};

constexpr problem table[] = {
    {errc::internal, 500, "Internal error", see_log},
    // -- requests
    {errc::request_malformed, 400, "Malformed request",
     "Send a well-formed request; docs/api.md has examples."},
    {errc::request_field_missing, 400, "Missing field", "Add the field and send it again."},
    {errc::request_field_unknown, 400, "Unknown field", "Leave the field out or correct its name."},
    {errc::request_field_duplicate, 400, "Duplicate field", "Give each field once."},
    {errc::request_field_invalid, 400, "Invalid field", "Correct the value and send it again."},
    {errc::request_too_large, 413, "Request too large",
     "Send less, or have the operator raise MUSETALKD_MAX_UPLOAD_MB or MUSETALKD_MAX_BODY_KB."},
    {errc::request_media_type, 415, "Unsupported media type",
     "Send multipart/form-data to upload, application/json elsewhere."},
    {errc::request_timeout, 408, "Request too slow", "Send the request without long pauses.", 1},
    {errc::request_aborted, 400, "Request aborted", "Send the request whole."},
    {errc::route_not_found, 404, "No such resource", "Check the path; docs/api.md lists all."},
    {errc::route_method, 405, "Method not allowed", "The Allow header names the methods."},
    // -- avatars and jobs
    {errc::avatar_id_invalid, 400, "Invalid avatar id",
     "Use 1 to 64 letters, digits, _ or -, and begin with a letter or digit."},
    {errc::avatar_not_found, 404, "No such avatar", "GET /mgmt/v1/avatars lists the avatars."},
    {errc::avatar_busy, 409, "Avatar busy",
     "Wait for its job or cancel it; DELETE with ?force=true cancels it first.", 5},
    {errc::avatar_damaged, 500, "Avatar damaged",
     "Create the avatar again; its files differ from what was written."},
    {errc::job_not_found, 404, "No such job", "GET /mgmt/v1/jobs lists the jobs."},
    {errc::job_finished, 409, "Job already finished",
     "There is nothing left to cancel; a failed or cancelled job can be retried."},
    {errc::queue_full, 429, "Queue full", "Try again after the time in Retry-After.", 30},
    {errc::cancelled, 409, "Job cancelled", "Create it again if it is still wanted."},
    {errc::stopping, 503, "Service stopping", "Try again after the restart.", 10},
    {errc::timeout, 504, "Timed out inside the service",
     "The service is under load or stuck. Try again; GET /health shows its state.", 5},
    {errc::worker_died, 500, "Worker died",
     "Create it again. If it happens twice, tell the operator the job_id: the log has the reason."},
    {errc::attempts_exhausted, 500, "Interrupted too often",
     "The service was restarted in the middle each time. Create it again."},
    // -- the video
    {errc::video_path_forbidden, 403, "Video path not allowed",
     "Put the video below one of the folders of MUSETALKD_VIDEO_ROOTS (links must not leave it), "
     "or upload it."},
    {errc::video_path_not_found, 422, "Video not found",
     "Check video_path: it must be a plain file that the service can read."},
    {errc::video_empty, 422, "Empty video", "The file has no bytes. Check it and send it again."},
    {errc::video_unreadable, 422, "Unreadable video",
     "Send a video file such as MP4, MOV, MKV, WebM or AVI."},
    {errc::video_no_track, 422, "No picture in the video",
     "The file has no video track, only sound or nothing. Send one with pictures."},
    {errc::video_too_long, 422, "Video too long",
     "Cut it, or have the operator raise MUSETALKD_MAX_VIDEO_SECONDS."},
    {errc::video_too_short, 422, "Video too short", "Send at least one whole frame."},
    {errc::video_too_large, 422, "Picture too large",
     "Scale it down, or have the operator raise MUSETALKD_MAX_VIDEO_PIXELS."},
    {errc::video_too_small, 422, "Picture too small",
     "Send a larger picture, or have the operator lower MUSETALKD_MIN_VIDEO_SIDE."},
    {errc::video_too_many_frames, 422, "Too many frames",
     "Cut it, or have the operator raise MUSETALKD_MAX_VIDEO_SECONDS."},
    {errc::video_truncated, 422, "Video truncated",
     "The file ends too early. Copy or export it again and send it whole."},
    {errc::video_damaged, 422, "Video damaged", other_video},
    // -- the face
    {errc::face_none, 422, "No face found",
     "Film one face from the front, well lit, and large enough in the picture."},
    {errc::face_several, 422, "Several faces found", "Film or crop so that one face is seen."},
    {errc::face_lost, 422, "Face lost",
     "Cut the named frames, or have the operator raise MUSETALKD_MAX_GAP_FRAMES."},
    // -- weights and device
    {errc::models_missing, 503, "Weights missing",
     "Put the named files below MUSETALK_BASE/models (musetalkctl doctor lists them), or set "
     "MUSETALKD_WEIGHTS=synthetic to try the path without them."},
    {errc::models_invalid, 503, "Weights invalid",
     "Fetch the named file again; musetalkctl doctor says what is wrong with it."},
    {errc::device_busy, 503, "Device busy", "Try again after the time in Retry-After.", 10},
    {errc::device_out_of_memory, 503, "Device out of memory",
     "Have the operator lower MUSETALKD_BATCH_FRAMES or free the device."},
    {errc::device_failed, 500, "Device failed",
     "The device refused the work. Tell the operator the request_id or job_id."},
    // -- storage
    {errc::storage_full, 507, "No space left", "Free space in AVATARS_DIR, or delete avatars."},
    {errc::storage_failed, 500, "Storage failed", see_log},
    {errc::catalog_failed, 500, "Catalog failed", see_log},
    // -- start-up
    {errc::settings_invalid, 500, "Invalid settings",
     "musetalkd --print-config shows every setting, its origin and its rule."},
    // -- later ones
    {errc::device_lost, 503, "Device lost",
     "The service restarts; the job goes on by itself. If it comes again: nvidia-smi, dmesg.", 30},
    {errc::face_too_small, 422, "Face too small",
     "Film from closer or crop around the face; MUSETALKD_MIN_FACE_PIXELS is the limit."},
    {errc::job_active, 409, "Job not finished", "Wait for its end, or cancel it first."},
    {errc::job_source_gone, 410, "Video of the job gone",
     "Send the video again: the job cannot be tried once more without it."},
    {errc::key_reused, 422, "Idempotency key used before",
     "Take a new Idempotency-Key for each new request; repeat one only with the same request."},
    {errc::key_in_use, 409, "Idempotency key in use",
     "The first request with this key has no answer yet; try again in a moment.", 1},
    {errc::version_not_found, 404, "No such version",
     "GET /mgmt/v1/avatars/{id}/versions lists the versions."},
    {errc::version_current, 409, "Version is current", "Activate another version first."},
    {errc::precondition_failed, 412, "Avatar has changed",
     "Get it again: ETag tells its present state for If-Match."},
    {errc::audio_unreadable, 422, "Unreadable sound",
     "Send a sound file such as WAV, MP3, M4A, Opus, Ogg or FLAC, or a video with sound."},
    {errc::audio_no_track, 422, "No sound in the file",
     "The file has pictures or nothing. Send one with sound."},
    {errc::audio_too_long, 422, "Sound too long",
     "Cut it, or have the operator raise MUSETALKD_MAX_SPEECH_SECONDS."},
    {errc::audio_too_short, 422, "Sound too short", "Send at least a tenth of a second of sound."},
    {errc::audio_damaged, 422, "Damaged sound",
     "Check that the file plays from start to end, or export it again as WAV."},
    {errc::upgrade_required, 426, "WebSocket expected",
     "Open this path with a WebSocket client (RFC 6455, version 13)."},
    {errc::origin_forbidden, 403, "Origin not allowed",
     "Open the page from the service itself, or have the operator add its origin to "
     "MUSETALKD_ALLOWED_ORIGINS."},
    {errc::audio_path_forbidden, 403, "Path not allowed",
     "Put the file below a folder of MUSETALKD_VIDEO_ROOTS, or upload it."},
    {errc::audio_path_not_found, 404, "Sound not found",
     "Check the path as the service sees it, below a folder of MUSETALKD_VIDEO_ROOTS."},
    {errc::avatar_not_ready, 409, "Avatar not ready",
     "Wait until the avatar has a version made with networks; GET /mgmt/v1/avatars/{id} shows it."},
    {errc::video_not_found, 404, "No such video",
     "GET /mgmt/v1/avatars/{id}/videos lists the videos."},
    {errc::version_busy, 409, "Version in use",
     "Wait for the job that speaks with it, or cancel it."},
};

} // namespace

std::span<const problem> problem_table() {
  return table;
}

const problem& problem_of(errc code) noexcept {
  for (const auto& x : table)
    if (x.code == code)
      return x;
  return table[0];
}

nlohmann::ordered_json problem_json(errc code, std::string_view detail,
                                    std::string_view request_id) {
  const auto& x = problem_of(code);
  auto result = nlohmann::ordered_json{};
  result["type"] = "urn:musetalkd:problem:" + std::string{to_string(x.code)};
  result["title"] = x.title;
  result["status"] = x.status;
  result["detail"] = detail.empty() ? x.title : detail;
  result["code"] = to_string(x.code);
  result["hint"] = x.hint;
  result["request_id"] = request_id;
  return result;
}

response problem_response(errc code, const nlohmann::ordered_json& body) {
  const auto& x = problem_of(code);
  auto result = response{};
  result.status = x.status;
  result.headers.add("Content-Type", "application/problem+json");
  if (x.retry_after_s > 0)
    result.headers.add("Retry-After", std::to_string(x.retry_after_s));
  result.body = text_of(body);
  return result;
}

response render_problem(const error& what, const request& in) {
  return problem_response(what.code(), problem_json(what.code(), what.detail(), in.id));
}

} // namespace musetalk::http
