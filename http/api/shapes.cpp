// What the answers look like. http/json.cpp makes them; whoever changes one changes both.
#include "http/api/shape.hpp"

namespace musetalk::http::api {

namespace {

shape speech_options() {
  return object({
      {"fps", whole()},
      {"batch_size", or_null(whole("Null: the service's own."))},
      {"start_frame", whole()},
      {"sync_mode", words({"loop", "bounce", "cut_off"})},
      {"crf", whole()},
  });
}

shape job() {
  return object({
      {"job_id", text()},
      {"avatar_id", text()},
      {"kind", words({"create", "speak", "import"})},
      {"status", named("JobStatus")},
      {"stage",
       or_null(words({"validate", "convert", "prepare", "speak", "verify", "publish", "link"},
                     "While it runs."))},
      {"fraction", number("Of the whole job, 0 to 1; never falls within an attempt.")},
      {"frames_done", or_null(whole("At 25 frames per second, while the job runs."))},
      {"frames_total", or_null(whole("Predicted; null when unknown."))},
      {"position", or_null(whole("Jobs ahead of it while it is queued."))},
      {"eta_s", or_null(number("Estimated seconds to the end; null when unknown."))},
      {"attempt", whole("Grows when a restart interrupts the job, and when it is retried.")},
      maybe("priority", words({"high", "normal", "low"})),
      maybe("queued_at", or_null(time("For the latest attempt."))),
      {"created_at", or_null(time())},
      {"started_at", or_null(time("Of the latest attempt."))},
      {"finished_at", or_null(time())},
      {"timings_ms", map_of(whole(), "Wall time of each stage of the latest attempt. Names with a "
                                     "dot are a part of a stage.")},
      {"weights", or_null(words({"real", "synthetic", "none"}))},
      {"error", or_null(object({{"code", text()}, {"detail", text()}, {"hint", text()}},
                               "Of a failed job."))},
      maybe("speech",
            with(speech_options(), {{"audio_name", or_null(text())},
                                    {"version", or_null(text("Of the avatar."))},
                                    {"video", or_null(text("Its path, once it is made."))}})),
  });
}

shape spoken_video() {
  return object({
      {"video_id", text("That of its job.")},
      {"avatar_id", text()},
      {"version", or_null(text("Of the avatar."))},
      {"created_at", or_null(time())},
      {"weights", or_null(words({"real", "synthetic"}))},
      {"audio_name", or_null(text())},
      {"audio_sha256", or_null(text())},
      {"frames", whole()},
      {"fps", whole()},
      {"width", whole("Pixels.")},
      {"height", whole("Pixels.")},
      {"duration_s", number()},
      {"bytes", whole()},
      {"options", speech_options()},
      {"links", object({{"self", text()}, {"job", text()}})},
  });
}

shape job_event() {
  return object({
      {"sequence", whole("Grows over all jobs.")},
      {"job_id", text()},
      {"avatar_id", text()},
      {"status", named("JobStatus")},
      {"attempt", whole()},
      {"at", or_null(time())},
      {"actor", text("Who moved it: `client`, `registry`, `runner`, `store`.")},
      {"reason", or_null(text())},
  });
}

shape version() {
  return object({
      {"version", text("`v000001`, or `adopted`.")},
      {"created_at", or_null(time())},
      {"job_id", or_null(text())},
      {"engine", or_null(text())},
      {"weights", or_null(text())},
      {"frames", whole("At 25 frames per second, before mirroring.")},
      {"width", whole("Pixels.")},
      {"height", whole("Pixels.")},
      {"duration_s", number()},
      {"bytes", whole("On disk.")},
      {"video_sha256", or_null(text())},
      {"apply_blur", yes_no()},
      maybe("replaced_at", or_null(time("When another version took its place."))),
      maybe("checked_at", or_null(time("When its files were last compared with their sums."))),
  });
}

shape avatar_base() {
  return object({
      {"avatar_id", text()},
      {"tutor_id", or_null(text())},
      {"status", words({"ready", "preparing", "failed"})},
      {"created_at", or_null(time())},
      {"updated_at", or_null(time())},
      maybe("used_at", or_null(time("The last use that the service knows of."))),
      maybe("pinned", yes_no("Never removed by itself.")),
      {"current_version", or_null(text())},
      {"versions", list(named("Version"), "The oldest first.")},
      {"links", object({{"self", text()}, maybe("job", text()), maybe("preview", text())})},
  });
}

shape health() {
  auto faces = object({{"backend", words({"dwpose", "mediapipe"})},
                       {"mask", text()},
                       {"parsing_mode", words({"jaw", "neck", "raw"})}});
  return object({
      {"status", words({"ok", "degraded"}, "`degraded`: no avatar can be made.")},
      {"mode", words({"native", "mock"})},
      {"engine", text()},
      {"models", object({{"weights", words({"real", "synthetic", "none"})},
                         {"ready", yes_no()},
                         {"problems", list(text())},
                         {"faces", or_null(std::move(faces))}})},
      {"device", object({{"ready", yes_no()},
                         {"device", or_null(text())},
                         {"name", or_null(text())},
                         {"dtype", or_null(text())},
                         {"memory_bytes", whole()},
                         {"waiting", whole("Requests.")},
                         {"executions", whole()},
                         {"frames", whole()}})},
      {"queue", object({{"queued", whole("Jobs.")},
                        {"running", whole()},
                        {"limit", whole()},
                        {"completed", whole()},
                        {"failed", whole()},
                        {"cancelled", whole()}})},
  });
}

shape problem() {
  return object(
      {
          {"type", text("`urn:musetalkd:problem:` and the code.")},
          {"title", text()},
          {"status", whole()},
          {"detail", text("Measured value and limit.")},
          {"code", text("Stable.")},
          {"hint", text("What to do.")},
          {"request_id", text()},
          maybe("job_id", text("Of a job that failed while the client waited.")),
          maybe("avatar_id", text()),
          maybe("retry_after_s", whole()),
          maybe("queue", object({{"queued", whole()}, {"running", whole()}, {"limit", whole()}})),
          maybe("ready", yes_no()),
          maybe("missing", list(text(), "Weight files.")),
      },
      "RFC 9457.");
}

} // namespace

shape shapes() {
  auto cursor = maybe("next_cursor", text("`cursor` of the next page; only when there is one."));
  auto result = shape::object();
  result["Avatar"] = with(avatar_base(), {{"job", or_null(named("Job"))}});
  result["AvatarSummary"] = with(avatar_base(), {{"job_id", or_null(text("The latest."))}});
  result["AvatarPage"] =
      object({{"total", whole()},
              {"avatars", list({{"anyOf", {text("An id."), named("AvatarSummary")}}},
                               "Ids, or objects with `detail`.")},
              cursor});
  result["AvatarDeleted"] = object({{"avatar_id", text()}, {"deleted", yes_no()}});
  result["Versions"] = object({{"avatar_id", text()},
                               {"current_version", or_null(text())},
                               {"total", whole()},
                               {"versions", list(named("Version"), "The oldest first.")}});
  result["Version"] = version();
  result["Accepted"] =
      object({{"avatar_id", text()},
              {"job_id", text()},
              {"status", named("JobStatus")},
              {"position", or_null(whole("Jobs ahead of it while it is queued."))},
              {"eta_s", or_null(number("Estimated seconds to the end; null when unknown."))},
              {"reused", yes_no("The work was done or under way already.")},
              {"links", object({{"job", text()}, {"avatar", text()}, maybe("video", text())})}});
  result["Video"] = spoken_video();
  result["VideoPage"] = object({{"total", whole()}, {"videos", list(named("Video"))}, cursor});
  result["VideoDeleted"] =
      object({{"avatar_id", text()}, {"video_id", text()}, {"deleted", yes_no()}});
  result["Job"] = job();
  result["JobHistory"] = with(job(), {maybe("events", list(named("JobEvent"), "With `history`."))});
  result["JobStatus"] =
      words({"queued", "running", "cancelling", "completed", "failed", "cancelled"});
  result["JobEvent"] = job_event();
  result["JobPage"] = object({{"total", whole()}, {"jobs", list(named("Job"))}, cursor});
  result["Health"] = health();
  result["Ready"] = object({{"ready", yes_no()}, {"mode", words({"native", "mock"})}});
  result["Alive"] = object({{"status", words({"ok"})}});
  result["Problem"] = problem();
  return result;
}

} // namespace musetalk::http::api
