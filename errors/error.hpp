#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace musetalk {

/// Everything that can go wrong, as a closed list. `errors/error.cpp` gives each code its public
/// name; `http/problem.cpp` gives it a status, a title and a hint. Extend all three together, in
/// this order. Append only: the numbers travel between actors and lie in the catalog.
enum class errc : uint8_t {
  internal = 1, ///< A bug: some code threw what it never promises to throw.
  // -- requests
  request_malformed,       ///< Not HTTP, JSON or multipart that we can read.
  request_field_missing,   ///< A required field is absent.
  request_field_unknown,   ///< A field that this call does not know.
  request_field_duplicate, ///< A field given twice.
  request_field_invalid,   ///< A field of the wrong type or outside its range.
  request_too_large,       ///< Head or body beyond its limit.
  request_media_type,      ///< A body of a type that this call does not take.
  request_timeout,         ///< The client was too slow.
  request_aborted,         ///< The client went away in the middle.
  route_not_found,         ///< No such path.
  route_method,            ///< The path exists, the method does not.
  // -- avatars and jobs
  avatar_id_invalid,  ///< Not `[A-Za-z0-9][A-Za-z0-9_-]{0,63}`.
  avatar_not_found,   ///< No avatar of that id.
  avatar_busy,        ///< A job runs for it.
  avatar_damaged,     ///< Files of a version are missing or differ from their manifest.
  job_not_found,      ///< Unknown or expired job id.
  job_finished,       ///< The job has already ended.
  queue_full,         ///< The queue is at its limit; the client may try again.
  cancelled,          ///< The client withdrew the job, or the service is stopping.
  stopping,           ///< The service shuts down and takes nothing new.
  timeout,            ///< A step did not answer in time.
  worker_died,        ///< The actor that did the work ended before it answered.
  attempts_exhausted, ///< Interrupted by restarts more often than allowed.
  // -- the video
  video_path_forbidden,  ///< `video_path` leaves the configured roots.
  video_path_not_found,  ///< Nothing there, or no plain file.
  video_empty,           ///< A file of zero bytes.
  video_unreadable,      ///< Not a container or codec of the closed list.
  video_no_track,        ///< A container without a video track (audio only).
  video_too_long,        ///< Longer than the duration limit.
  video_too_short,       ///< Not a single frame.
  video_too_large,       ///< More pixels per frame than the limit.
  video_too_small,       ///< Fewer pixels than a face needs.
  video_too_many_frames, ///< More frames at 25 fps than the limit.
  video_truncated,       ///< Ends before what its header promises.
  video_damaged,         ///< Too many frames cannot be decoded.
  // -- the face
  face_none,    ///< No face in any sampled frame.
  face_several, ///< More than one clear face.
  face_lost,    ///< No face for longer than can be interpolated.
  // -- weights and device
  models_missing,       ///< Weight files are absent.
  models_invalid,       ///< A weight file is not what the network needs, or hostile.
  device_busy,          ///< The device queue is at its limit.
  device_out_of_memory, ///< The device cannot hold even the smallest batch.
  device_failed,        ///< The device rejected the work.
  // -- storage
  storage_full,   ///< No space left.
  storage_failed, ///< The disk answered with another error.
  catalog_failed, ///< The catalog refused a read or a write.
  // -- start-up
  settings_invalid, ///< A setting is unknown or breaks its rule.
  // -- later ones; numbers lie in the catalog, so the list only grows at its end
  device_lost,          ///< The device will not work again in this process: only a restart helps.
  face_too_small,       ///< The face is narrower than the limit.
  job_active,           ///< The job has not ended: there is nothing to try again.
  job_source_gone,      ///< The video that the job was made of is not there any more.
  key_reused,           ///< An `Idempotency-Key` that came with another request before.
  key_in_use,           ///< A request with that `Idempotency-Key` is still at work.
  version_not_found,    ///< The avatar has no version of that name.
  version_current,      ///< The version is the current one and so cannot be removed.
  precondition_failed,  ///< `If-Match` names another state of the avatar than there is.
  audio_unreadable,     ///< Not a container or codec of the closed list.
  audio_no_track,       ///< A file without sound.
  audio_too_long,       ///< Longer than the limit.
  audio_too_short,      ///< Not enough for a single frame.
  audio_damaged,        ///< Too much of it cannot be decoded, or is no number.
  upgrade_required,     ///< A path that speaks WebSocket only, and a request that does not.
  origin_forbidden,     ///< A page of another site may not open a socket here.
  audio_path_forbidden, ///< `audio_path` leaves the configured roots.
  audio_path_not_found, ///< Nothing there, or no plain file.
  avatar_not_ready,     ///< The avatar has no version that could speak.
  video_not_found,      ///< The avatar has made no video of that id, or it is gone.
  version_busy,         ///< A job speaks with the version.
};

/// The stable public name, such as `video.too_long`.
/// @relates errc
std::string_view to_string(errc code) noexcept;

/// The code of a public name, or `errc::internal` for an unknown one.
errc errc_from_string(std::string_view name) noexcept;

/// What `models/` and `pipeline/` throw. Never crosses an actor boundary: `actors::guard` turns it
/// into a `caf::error`.
class error : public std::runtime_error {
public:
  /// @param code What happened.
  /// @param detail A sentence for the client: measured value and limit, no paths, nothing a library
  /// said.
  /// @param cause For the log only: library text, errno, paths.
  error(errc code, std::string detail, std::string cause = {});

  errc code() const noexcept { return code_; }

  /// For the client. `what()` is for the log and must never leave the process.
  const std::string& detail() const noexcept { return detail_; }

private:
  errc code_;
  std::string detail_;
};

} // namespace musetalk
