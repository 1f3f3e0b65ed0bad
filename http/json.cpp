#include "http/json.hpp"

#include "actors/interfaces.hpp"
#include "http/problem.hpp"
#include "pipeline/face_methods.hpp"
#include "pipeline/time.hpp"
#include "pipeline/weights.hpp"

#include <cmath>

namespace musetalk::http {

namespace {

using pipeline::job_stage;
using pipeline::job_state;

json text_or_null(const std::string& x) {
  return x.empty() ? json{} : json(x);
}

json time_or_null(pipeline::timestamp_us x) {
  return x == 0 ? json{} : json(pipeline::to_rfc3339(x));
}

json failure_or_null(const pipeline::job& x) {
  if (x.state != job_state::failed)
    return {};
  const auto& known = problem_of(x.failure.code);
  return {{"code", to_string(known.code)},
          {"detail", x.failure.detail.empty() ? std::string{known.title} : x.failure.detail},
          {"hint", known.hint}};
}

std::string avatar_link(std::string_view id) {
  return "/mgmt/v1/avatars/" + std::string{id};
}

std::string job_link(std::string_view id) {
  return "/mgmt/v1/jobs/" + std::string{id};
}

std::string video_link(std::string_view avatar_id, std::string_view video_id) {
  return avatar_link(avatar_id) + "/videos/" + std::string{video_id};
}

json options_json(const pipeline::speech_options& x) {
  return {{"fps", x.fps},
          {"batch_size", x.batch_size == 0 ? json{} : json(x.batch_size)},
          {"start_frame", x.start_frame},
          {"sync_mode", to_string(x.mode)},
          {"crf", x.crf}};
}

json speech_json(const pipeline::job& x) {
  auto result = options_json(x.request.speech);
  result["audio_name"] = text_or_null(x.request.video_name);
  result["version"] = text_or_null(x.version);
  result["video"] =
      x.state == job_state::completed ? json(video_link(x.request.avatar_id, x.job_id)) : json{};
  return result;
}

json version_list(const pipeline::avatar& x) {
  auto result = json::array();
  for (const auto& version : x.versions)
    result.push_back(to_json(version));
  return result;
}

/// What both forms of an avatar begin with.
json avatar_base(const pipeline::avatar& x) {
  return {{"avatar_id", x.avatar_id},
          {"tutor_id", text_or_null(x.tutor_id)},
          {"status", x.status},
          {"created_at", time_or_null(x.created_us)},
          {"updated_at", time_or_null(x.updated_us)},
          {"used_at", time_or_null(x.used_us)},
          {"pinned", x.pinned},
          {"current_version", text_or_null(x.current_version)},
          {"versions", version_list(x)}};
}

json avatar_links(const pipeline::avatar& x) {
  auto result = json{{"self", avatar_link(x.avatar_id)}};
  if (!x.latest_job_id.empty())
    result["job"] = job_link(x.latest_job_id);
  if (!x.current_version.empty())
    result["preview"] = avatar_link(x.avatar_id) + "/preview.jpg";
  return result;
}

} // namespace

double rounded(double x, double places) {
  return std::round(x * places) / places;
}

std::string text_of(const json& x) {
  return x.dump(-1, ' ', false, json::error_handler_t::replace);
}

response json_response(int status, const json& body) {
  auto result = response{};
  result.status = status;
  result.headers.add("Content-Type", "application/json");
  result.body = text_of(body);
  return result;
}

json to_json(const pipeline::job_view& x) {
  const auto& job = x.record;
  auto running = job.state == job_state::running || job.state == job_state::cancelling;
  auto stage = running ? x.progress.stage : job_stage::none;
  auto fraction = job.state == job_state::completed ? 1. : x.progress.fraction;
  auto timings = json::object();
  for (const auto& [name, ms] : job.timings_ms)
    timings[name] = ms;
  auto result =
      json{{"job_id", job.job_id},
           {"avatar_id", job.request.avatar_id},
           {"kind", to_string(job.request.kind)},
           {"status", to_string(job.state)},
           {"stage", stage == job_stage::none ? json{} : json(to_string(stage))},
           {"fraction", rounded(fraction, 1e4)},
           {"frames_done", running ? json(x.progress.frames_done) : json{}},
           {"frames_total",
            running && x.progress.frames_total > 0 ? json(x.progress.frames_total) : json{}},
           {"position", job.state == job_state::queued ? json(x.position) : json{}},
           {"eta_s", x.eta_s < 0. || is_final(job.state) ? json{} : json(rounded(x.eta_s, 10.))},
           {"priority", to_string(job.request.priority)},
           {"attempt", job.attempt},
           {"created_at", time_or_null(job.created_us)},
           {"queued_at", time_or_null(job.queued_us)},
           {"started_at", time_or_null(job.started_us)},
           {"finished_at", time_or_null(job.finished_us)},
           {"timings_ms", std::move(timings)},
           {"weights", text_or_null(job.weights)},
           {"error", failure_or_null(job)}};
  if (job.request.kind == pipeline::job_kind::speak)
    result["speech"] = speech_json(job);
  return result;
}

json to_json(const pipeline::job_event& x) {
  return {{"sequence", x.sequence},   {"job_id", x.job_id},
          {"avatar_id", x.avatar_id}, {"status", to_string(x.state)},
          {"attempt", x.attempt},     {"at", time_or_null(x.at_us)},
          {"actor", x.actor},         {"reason", text_or_null(x.reason)}};
}

json to_json(const pipeline::job_history& x) {
  auto result = to_json(x.job);
  auto events = json::array();
  for (const auto& event : x.events)
    events.push_back(to_json(event));
  result["events"] = std::move(events);
  return result;
}

json to_json(const pipeline::avatar_version& x) {
  return {{"version", x.version},
          {"created_at", time_or_null(x.created_us)},
          {"job_id", text_or_null(x.job_id)},
          {"engine", text_or_null(x.engine)},
          {"weights", text_or_null(x.weights)},
          {"frames", x.frames},
          {"width", x.width},
          {"height", x.height},
          {"duration_s", rounded(x.duration_s, 1e3)},
          {"bytes", x.bytes},
          {"video_sha256", text_or_null(x.video_sha256)},
          {"apply_blur", x.apply_blur},
          {"replaced_at", time_or_null(x.retired_us)},
          {"checked_at", time_or_null(x.checked_us)}};
}

json to_json(const pipeline::retention_plan& x) {
  auto removals = json::array();
  for (const auto& y : x.removals)
    removals.push_back({{"avatar_id", y.avatar_id},
                        {"version", text_or_null(y.version)},
                        {"bytes", y.bytes},
                        {"reason", to_string(y.reason)},
                        {"detail", y.detail},
                        {"failure", text_or_null(y.failure)}});
  return {{"at", time_or_null(x.at_us)},
          {"applied", x.applied},
          {"bytes", x.bytes},
          {"bytes_kept", x.bytes_kept},
          {"max_bytes", x.max_bytes > 0 ? json(x.max_bytes) : json{}},
          {"removals", std::move(removals)}};
}

json to_json(const pipeline::avatar& x) {
  auto result = avatar_base(x);
  result["job_id"] = text_or_null(x.latest_job_id);
  result["links"] = avatar_links(x);
  return result;
}

json to_json(const pipeline::avatar& x, const std::optional<pipeline::job_view>& job) {
  auto result = avatar_base(x);
  result["job"] = job ? to_json(*job) : json{};
  result["links"] = avatar_links(x);
  return result;
}

json versions_json(const pipeline::avatar& x) {
  return {{"avatar_id", x.avatar_id},
          {"current_version", text_or_null(x.current_version)},
          {"total", x.versions.size()},
          {"versions", version_list(x)}};
}

json to_json(const pipeline::avatar_page& x, bool detail) {
  auto avatars = json::array();
  for (const auto& avatar : x.avatars)
    avatars.push_back(detail ? to_json(avatar) : json(avatar.avatar_id));
  auto result = json{{"total", x.total}, {"avatars", std::move(avatars)}};
  if (!x.next_cursor.empty())
    result["next_cursor"] = x.next_cursor;
  return result;
}

json jobs_json(const std::vector<pipeline::job_view>& x) {
  auto result = json::array();
  for (const auto& job : x)
    result.push_back(to_json(job));
  return result;
}

json to_json(const pipeline::job_page& x) {
  auto result = json{{"total", x.total}, {"jobs", jobs_json(x.jobs)}};
  if (!x.next_cursor.empty())
    result["next_cursor"] = x.next_cursor;
  return result;
}

json to_json(const pipeline::spoken_video& x) {
  return {
      {"video_id", x.video_id},
      {"avatar_id", x.avatar_id},
      {"version", text_or_null(x.version)},
      {"created_at", time_or_null(x.created_us)},
      {"weights", text_or_null(x.weights)},
      {"audio_name", text_or_null(x.audio_name)},
      {"audio_sha256", text_or_null(x.audio_sha256)},
      {"frames", x.frames},
      {"fps", x.fps},
      {"width", x.width},
      {"height", x.height},
      {"duration_s", rounded(x.duration_s, 1e3)},
      {"bytes", x.bytes},
      {"options", options_json(x.options)},
      {"links", {{"self", video_link(x.avatar_id, x.video_id)}, {"job", job_link(x.video_id)}}}};
}

json to_json(const pipeline::video_page& x) {
  auto videos = json::array();
  for (const auto& video : x.videos)
    videos.push_back(to_json(video));
  auto result = json{{"total", x.total}, {"videos", std::move(videos)}};
  if (!x.next_cursor.empty())
    result["next_cursor"] = x.next_cursor;
  return result;
}

json accepted_json(const pipeline::job_view& x) {
  const auto& job = x.record;
  auto result = json{
      {"avatar_id", job.request.avatar_id},
      {"job_id", job.job_id},
      {"status", to_string(job.state)},
      {"position", job.state == job_state::queued ? json(x.position) : json{}},
      {"eta_s", x.eta_s < 0. || is_final(job.state) ? json{} : json(rounded(x.eta_s, 10.))},
      {"reused", x.reused},
      {"links", {{"job", job_link(job.job_id)}, {"avatar", avatar_link(job.request.avatar_id)}}}};
  // It is there once the job has completed.
  if (job.request.kind == pipeline::job_kind::speak)
    result["links"]["video"] = video_link(job.request.avatar_id, job.job_id);
  return result;
}

json deleted_json(const actors::video_id& x) {
  return {{"avatar_id", x.avatar_id}, {"video_id", x.value}, {"deleted", true}};
}

json deleted_json(std::string_view avatar_id) {
  return {{"avatar_id", avatar_id}, {"deleted", true}};
}

json health_json(const pipeline::weights_status& weights, const actors::queue_status& queue,
                 std::string_view mode, std::string_view engine,
                 const pipeline::face_methods& faces) {
  const auto& device = queue.device;
  auto serves = mode == "mock" || weights.ready;
  auto methods = json{{"backend", to_string(faces.backend)},
                      {"mask", to_string(faces.mask)},
                      {"parsing_mode", to_string(faces.mode)}};
  return {{"status", serves ? "ok" : "degraded"},
          {"mode", mode},
          {"engine", engine},
          {"models",
           {{"weights", weights.mode},
            {"ready", weights.ready},
            {"problems", weights.problems},
            {"faces", mode == "mock" ? json{} : std::move(methods)}}},
          {"device",
           {{"ready", device.ready},
            {"device", text_or_null(device.device.device)},
            {"name", text_or_null(device.device.name)},
            {"dtype", text_or_null(device.device.dtype)},
            {"memory_bytes", device.device.memory_bytes},
            {"waiting", device.waiting},
            {"executions", device.executions},
            {"frames", device.frames}}},
          {"queue",
           {{"queued", queue.queued},
            {"running", queue.running},
            {"limit", queue.limit},
            {"completed", queue.completed},
            {"failed", queue.failed},
            {"cancelled", queue.cancelled}}}};
}

} // namespace musetalk::http
