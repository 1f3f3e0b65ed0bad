#include "errors/error.hpp"

#include <utility>

namespace musetalk {

namespace {

struct entry {
  errc code;
  std::string_view name;
};

constexpr entry names[] = {
    {errc::internal, "internal"},
    {errc::request_malformed, "request.malformed"},
    {errc::request_field_missing, "request.field_missing"},
    {errc::request_field_unknown, "request.field_unknown"},
    {errc::request_field_duplicate, "request.field_duplicate"},
    {errc::request_field_invalid, "request.field_invalid"},
    {errc::request_too_large, "request.too_large"},
    {errc::request_media_type, "request.media_type"},
    {errc::request_timeout, "request.timeout"},
    {errc::request_aborted, "request.aborted"},
    {errc::route_not_found, "route.not_found"},
    {errc::route_method, "route.method"},
    {errc::avatar_id_invalid, "avatar.id_invalid"},
    {errc::avatar_not_found, "avatar.not_found"},
    {errc::avatar_busy, "avatar.busy"},
    {errc::avatar_damaged, "avatar.damaged"},
    {errc::job_not_found, "job.not_found"},
    {errc::job_finished, "job.finished"},
    {errc::queue_full, "queue.full"},
    {errc::cancelled, "job.cancelled"},
    {errc::stopping, "service.stopping"},
    {errc::timeout, "service.timeout"},
    {errc::worker_died, "job.worker_died"},
    {errc::attempts_exhausted, "job.attempts_exhausted"},
    {errc::video_path_forbidden, "video.path_forbidden"},
    {errc::video_path_not_found, "video.path_not_found"},
    {errc::video_empty, "video.empty"},
    {errc::video_unreadable, "video.unreadable"},
    {errc::video_no_track, "video.no_track"},
    {errc::video_too_long, "video.too_long"},
    {errc::video_too_short, "video.too_short"},
    {errc::video_too_large, "video.too_large"},
    {errc::video_too_small, "video.too_small"},
    {errc::video_too_many_frames, "video.too_many_frames"},
    {errc::video_truncated, "video.truncated"},
    {errc::video_damaged, "video.damaged"},
    {errc::face_none, "face.none"},
    {errc::face_several, "face.several"},
    {errc::face_lost, "face.lost"},
    {errc::models_missing, "models.missing"},
    {errc::models_invalid, "models.invalid"},
    {errc::device_busy, "device.busy"},
    {errc::device_out_of_memory, "device.out_of_memory"},
    {errc::device_failed, "device.failed"},
    {errc::storage_full, "storage.full"},
    {errc::storage_failed, "storage.failed"},
    {errc::catalog_failed, "catalog.failed"},
    {errc::settings_invalid, "settings.invalid"},
    {errc::device_lost, "device.lost"},
    {errc::face_too_small, "face.too_small"},
    {errc::job_active, "job.active"},
    {errc::job_source_gone, "job.source_gone"},
    {errc::key_reused, "request.key_reused"},
    {errc::key_in_use, "request.key_in_use"},
    {errc::version_not_found, "version.not_found"},
    {errc::version_current, "version.current"},
    {errc::precondition_failed, "request.precondition_failed"},
    {errc::audio_unreadable, "audio.unreadable"},
    {errc::audio_no_track, "audio.no_track"},
    {errc::audio_too_long, "audio.too_long"},
    {errc::audio_too_short, "audio.too_short"},
    {errc::audio_damaged, "audio.damaged"},
    {errc::upgrade_required, "request.upgrade_required"},
    {errc::origin_forbidden, "request.origin_forbidden"},
    {errc::audio_path_forbidden, "audio.path_forbidden"},
    {errc::audio_path_not_found, "audio.path_not_found"},
    {errc::avatar_not_ready, "avatar.not_ready"},
    {errc::video_not_found, "video.not_found"},
    {errc::version_busy, "version.busy"},
};

std::string log_text(errc code, const std::string& detail, const std::string& cause) {
  auto text = std::string{to_string(code)} + ": " + detail;
  if (!cause.empty())
    text += " [" + cause + "]";
  return text;
}

} // namespace

std::string_view to_string(errc code) noexcept {
  for (const auto& x : names)
    if (x.code == code)
      return x.name;
  return "internal";
}

errc errc_from_string(std::string_view name) noexcept {
  for (const auto& x : names)
    if (x.name == name)
      return x.code;
  return errc::internal;
}

error::error(errc code, std::string detail, std::string cause)
    : std::runtime_error(log_text(code, detail, cause)), code_(code), detail_(std::move(detail)) {
  // nop
}

} // namespace musetalk
