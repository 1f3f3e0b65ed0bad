#include "http/api/call.hpp"

namespace musetalk::http::api {

namespace {

constexpr auto tag = std::string_view{"videos"};

shape ranged(int64_t least, int64_t most) {
  auto result = whole();
  result["minimum"] = least;
  result["maximum"] = most;
  return result;
}

/// The fields beside the sound.
shape speech(member sound) {
  return object({std::move(sound), maybe("fps", ranged(10, 50)), maybe("batch_size", ranged(1, 64)),
                 maybe("start_frame", ranged(0, 10'000'000)),
                 maybe("sync_mode", words({"loop", "bounce", "cut_off"})),
                 maybe("crf", ranged(0, 51))});
}

shape sound_file() {
  auto result = text("The sound, or a video with sound.");
  result["contentMediaType"] = "application/octet-stream";
  return result;
}

} // namespace

calls video_calls() {
  auto path = text("Below one of MUSETALKD_VIDEO_ROOTS.");
  return {
      {"POST",
       "/mgmt/v1/avatars/:id/videos",
       "speak",
       tag,
       "Queues a job that lets an avatar speak",
       {wait(), prefer_wait(), idempotency_key(), priority(), force()},
       {{"multipart/form-data", speech({"audio_file", sound_file()})},
        {"application/json", speech({"audio_path", std::move(path)})}},
       {{201,
         "The video is ready; with `wait`.",
         json_of("Accepted"),
         {"Location", "Preference-Applied", "Idempotency-Replayed"}},
        {202,
         "The job is queued.",
         json_of("Accepted"),
         {"Location", "Preference-Applied", "Idempotency-Replayed"}}},
       making_a_job({"audio."},
                    {errc::audio_path_forbidden, errc::audio_path_not_found, errc::avatar_not_found,
                     errc::avatar_not_ready, errc::avatar_busy, errc::version_not_found})},
      {"GET",
       "/mgmt/v1/avatars/:id/videos",
       "listVideos",
       tag,
       "The videos that an avatar made",
       {limit(), cursor()},
       {},
       {{200, "A page.", json_of("VideoPage"), {}}},
       asking({errc::avatar_id_invalid, errc::avatar_not_found})},
      {"GET",
       "/mgmt/v1/avatars/:id/videos/:video",
       "getVideo",
       tag,
       "One of them",
       {},
       {},
       {{200, "The video.", {"video/mp4", {}}, {"ETag"}},
        {206, "The part that `Range` asks for.", {"video/mp4", {}}, {"ETag"}},
        {304, "It has not changed.", {}, {"ETag"}},
        {416, "`Range` lies outside of it.", {}, {}}},
       asking({errc::avatar_id_invalid, errc::avatar_not_found, errc::video_not_found,
               errc::storage_failed})},
      {"DELETE",
       "/mgmt/v1/avatars/:id/videos/:video",
       "deleteVideo",
       tag,
       "Removes one of them",
       {},
       {},
       {{200, "It is gone.", json_of("VideoDeleted"), {}}},
       asking({errc::avatar_id_invalid, errc::avatar_not_found, errc::video_not_found,
               errc::storage_full, errc::storage_failed, errc::worker_died})},
  };
}

} // namespace musetalk::http::api
