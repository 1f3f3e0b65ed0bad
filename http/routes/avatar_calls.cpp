#include "http/api/call.hpp"

namespace musetalk::http::api {

namespace {

constexpr auto tag = std::string_view{"avatars"};

shape tutor() {
  return text("Free text of at most 128 bytes.");
}

std::vector<answer> job_answers() {
  return {{201,
           "The avatar is ready; with `wait`.",
           json_of("Accepted"),
           {"Location", "Preference-Applied", "Idempotency-Replayed"}},
          {202,
           "The job is queued.",
           json_of("Accepted"),
           {"Location", "Preference-Applied", "Idempotency-Replayed"}}};
}

call picture(std::string_view path, std::string_view id, std::string_view summary,
             std::string_view type = "image/jpeg") {
  return {"GET",
          path,
          id,
          tag,
          summary,
          {},
          {},
          {{200, "The file.", {type, {}}, {"ETag"}},
           {206, "The part that `Range` asks for.", {type, {}}, {"ETag"}},
           {304, "It has not changed.", {}, {"ETag"}},
           {416, "`Range` lies outside of it.", {}, {}}},
          asking({errc::avatar_id_invalid, errc::avatar_not_found, errc::storage_failed})};
}

shape upload_form() {
  auto video = text("The video.");
  video["contentMediaType"] = "application/octet-stream";
  return object({{"avatar_id", text()},
                 {"video_file", std::move(video)},
                 maybe("tutor_id", tutor()),
                 maybe("apply_blur", words({"true", "false", "1", "0"})),
                 maybe("priority", words({"high", "normal", "low"})),
                 maybe("force", words({"true", "false", "1", "0"}))});
}

shape create_body() {
  auto tutor_id = shape{{"type", {"string", "integer"}}};
  return object({{"avatar_id", text()},
                 {"video_path", text("Below one of MUSETALKD_VIDEO_ROOTS.")},
                 maybe("tutor_id", std::move(tutor_id)),
                 maybe("apply_blur", yes_no()),
                 maybe("priority", words({"high", "normal", "low"})),
                 maybe("force", yes_no())});
}

shape finding() {
  return object({{"code", text()},
                 {"detail", text("With what was measured.")},
                 {"hint", text("What to do.")},
                 {"frames", list(whole(), "At 25 frames per second; none: everywhere.")}});
}

shape examination() {
  return object({{"passes", yes_no("No problem was found.")},
                 {"problems", list(finding(), "A job would fail of them.")},
                 {"warnings", list(finding(), "A job would not.")},
                 {"video", or_null(object({{"container", text()},
                                           {"codec", text()},
                                           {"width", whole()},
                                           {"height", whole()},
                                           {"duration_s", number()},
                                           {"frame_rate", number()},
                                           {"has_audio", yes_no()},
                                           {"bytes", whole()}}))},
                 {"would_make", object({{"frames", whole()},
                                        {"bytes", whole("On disk, estimated.")},
                                        {"samples_looked_at", whole()}})},
                 {"queue", object({{"accepts", yes_no()},
                                   {"code", or_null(text("Why not."))},
                                   {"position", or_null(whole())},
                                   {"eta_s", or_null(number())},
                                   {"reuses", yes_no("The same was made before.")}})}});
}

shape some_of(shape form) {
  form.erase("required");
  return form;
}

} // namespace

calls avatar_calls() {
  return {
      {"POST",
       "/mgmt/v1/avatars/upload",
       "uploadAvatar",
       tag,
       "Takes a video and queues a job that makes an avatar of it",
       {wait(), prefer_wait(), idempotency_key(), priority(), force()},
       {{"multipart/form-data", upload_form()}},
       job_answers(),
       making_a_job({"video.", "face."}, {})},
      {"POST",
       "/mgmt/v1/avatars/create",
       "createAvatar",
       tag,
       "The same for a video that lies on the server",
       {wait(), prefer_wait(), idempotency_key(), priority(), force()},
       {{"application/json", create_body()}},
       job_answers(),
       making_a_job({"video.", "face."}, {errc::video_path_forbidden, errc::video_path_not_found})},
      {"POST",
       "/mgmt/v1/avatars/validate",
       "validateVideo",
       tag,
       "Says what a job of a video would meet; nothing of it stays",
       {},
       {{"multipart/form-data", some_of(upload_form())},
        {"application/json", some_of(create_body())}},
       {{200, "What was found.", {"application/json", examination()}, {}}},
       making_a_job({"video.", "face."}, {errc::video_path_forbidden, errc::video_path_not_found})},
      {"GET",
       "/mgmt/v1/avatars",
       "listAvatars",
       tag,
       "Lists avatars",
       {limit(),
        cursor(),
        {"tutor_id", tutor()},
        {"status", words({"ready", "preparing", "failed"})},
        {"detail", yes_no("Objects in place of ids.")}},
       {},
       {{200, "A page.", json_of("AvatarPage"), {}}},
       asking({})},
      {"GET",
       "/mgmt/v1/avatars/:id",
       "getAvatar",
       tag,
       "All about one avatar",
       {},
       {},
       {{200, "The avatar.", json_of("Avatar"), {"ETag"}}},
       asking({errc::avatar_id_invalid, errc::avatar_not_found})},
      {"DELETE",
       "/mgmt/v1/avatars/:id",
       "deleteAvatar",
       tag,
       "Removes an avatar with all its versions",
       {{"force", yes_no("Cancels its job first.")}, if_match()},
       {},
       {{200, "It is gone.", json_of("AvatarDeleted"), {}}},
       asking({errc::avatar_id_invalid, errc::avatar_not_found, errc::avatar_busy,
               errc::precondition_failed, errc::storage_full, errc::storage_failed,
               errc::worker_died})},
      picture("/mgmt/v1/avatars/:id/preview.jpg", "getPreview", "A frame of the current version"),
      picture("/mgmt/v1/avatars/:id/contact_sheet.jpg", "getContactSheet",
              "Frames of the current version with face box and mask drawn"),
      picture("/mgmt/v1/avatars/:id/video.mp4", "getAvatarVideo",
              "The video of the current version", "video/mp4"),
  };
}

} // namespace musetalk::http::api
