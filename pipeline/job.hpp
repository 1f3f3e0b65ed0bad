#pragma once

#include "errors/error.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace musetalk::pipeline {

/// Microseconds since 1970-01-01 UTC.
using timestamp_us = int64_t;

/// Where a job stands. `transition_allowed` is the one table of moves.
enum class job_state : uint8_t {
  queued = 1, ///< Accepted and durable; the registry moves it on when a place is free.
  running,    ///< A runner conducts it. A restart moves it back to `queued`.
  cancelling, ///< Somebody withdrew it; the runner still has to let go.
  completed,  ///< Final: a version is published.
  failed,     ///< Final, unless a client has it tried again: see `job::failure`.
  cancelled,  ///< Final, unless a client has it tried again: nothing of it remains on disk.
};

/// What a running job does at the moment, in the order of the work.
enum class job_stage : uint8_t {
  none = 0,
  validate, ///< Container, limits, one clear face in samples.
  convert,  ///< Mock jobs only: 25 fps H.264 without preparation.
  prepare,  ///< Streamed: convert, blur, detect, mask, encode and write, batch by batch.
  verify,   ///< Re-open what was written.
  publish,  ///< Sync, manifest, rename.
  speak,    ///< Streamed, in place of `prepare`: listen, generate, blend and encode.
  link,     ///< Instead of all that: the files of a version of the same work get second names.
};

/// Which of the jobs that wait goes first. `actors/job_queue` says how much that is worth.
enum class job_priority : uint8_t { high = 1, normal, low };

enum class job_kind : uint8_t {
  create = 1,     ///< Video to avatar.
  speak,          ///< Avatar and sound to a talking video.
  import_archive, ///< Exported archive to avatar.
};

/// What becomes of the avatar's frames where the sound is longer than they are.
enum class sync_mode : uint8_t {
  loop = 1, ///< They begin anew, with a jump.
  bounce,   ///< They go backwards, then forwards again: MuseTalk's own way.
  cut_off,  ///< The video ends with them.
};

/// How an avatar is to speak.
struct speech_options {
  int32_t fps = 25;
  int32_t batch_size = 0;  ///< Frames that are computed together; 0: the service's own.
  int64_t start_frame = 0; ///< Of the avatar, counted forwards.
  sync_mode mode = sync_mode::bounce;
  int32_t crf = 18; ///< Of H.264: 0 (no loss) to 51.

  friend bool operator==(const speech_options&, const speech_options&) = default;
};

std::string_view to_string(job_state x) noexcept;
std::string_view to_string(job_stage x) noexcept;
std::string_view to_string(job_kind x) noexcept;
std::string_view to_string(sync_mode x) noexcept;
std::optional<sync_mode> sync_mode_from_string(std::string_view name) noexcept;
std::string_view to_string(job_priority x) noexcept;
std::optional<job_state> job_state_from_string(std::string_view name) noexcept;
std::optional<job_priority> job_priority_from_string(std::string_view name) noexcept;

/// True for `completed`, `failed`, `cancelled`.
bool is_final(job_state x) noexcept;

/// The one table of moves; everything else is a bug.
bool transition_allowed(job_state from, job_state to) noexcept;

/// Why a job failed, as it lies in the catalog. The public hint belongs to the code
/// (`http/problem.cpp`).
struct job_failure {
  errc code = errc::internal;
  std::string detail; ///< Public sentence: measured value, limit, frame numbers.
};

/// A client's promise that equal requests are one and the same (`Idempotency-Key`).
struct request_key {
  std::string key;         ///< Empty: the client gave none.
  std::string fingerprint; ///< Of the request; the same key with another one is refused.
  std::string target;      ///< Job or avatar that the first request had its effect on.
  timestamp_us at_us = 0;  ///< When that was.
};

/// How long a key is remembered, and how many are.
constexpr timestamp_us request_key_age_us = 24LL * 3600 * 1'000'000;
constexpr int64_t max_request_keys = 10'000;

/// What a client asked for. For a job that speaks, the `video_*` fields describe its sound.
struct job_request {
  job_kind kind = job_kind::create;
  std::string avatar_id;
  std::string tutor_id; ///< May be empty.
  bool apply_blur = false;
  std::string upload_id;  ///< Set when the video came by upload: `.uploads/<upload_id>/source`.
  std::string video_path; ///< Set when the video lies below a configured root; resolved, absolute.
  std::string
      video_name; ///< File name as the client gave it, for display only; never used as a path.
  std::string video_sha256; ///< Lower-case hex; empty until known.
  uint64_t video_bytes = 0;
  request_key key;       ///< Of the request that made the job; kept beside the job, not in it.
  speech_options speech; ///< Of a job that speaks.
  job_priority priority = job_priority::normal;
  bool force = false;       ///< Prepare anew, though a version of the same work exists.
  int64_t video_frames = 0; ///< Predicted at 25 frames per second; 0 until known.
  int64_t video_pixels = 0; ///< Width x height as shown; 0 until known.
};

/// A job as the catalog knows it.
struct job {
  std::string job_id;
  job_request request;
  job_state state = job_state::queued;
  uint32_t attempt = 1; ///< Grows when a restart interrupts it, and when a client retries it.
  timestamp_us created_us = 0;
  timestamp_us started_us = 0;  ///< 0 until it runs; of the latest attempt.
  timestamp_us finished_us = 0; ///< 0 until final.
  /// `v000001`, set when completed. Of a job that speaks: the version that does, from the start on.
  std::string version;
  std::string weights;                       ///< `real`, `synthetic` or `none` (mock).
  std::string engine;                        ///< `native` or `mock`.
  job_failure failure;                       ///< Of a failed job only.
  std::map<std::string, int64_t> timings_ms; ///< Stage name to wall time, of the latest attempt.
  uint32_t interruptions = 0; ///< Restarts that interrupted it since a client queued it.
  timestamp_us queued_us = 0; ///< When it came into the queue, for the latest attempt.
  /// Of everything beside the video's bytes that its version depends on (`pipeline/work_options`);
  /// empty: unknown, never equal.
  std::string options_key;
};

/// What a runner tells while it works. Not durable.
struct job_progress {
  std::string job_id;
  job_stage stage = job_stage::none;
  int64_t frames_done = 0;
  int64_t frames_total = 0; ///< Predicted; 0 when unknown.
  double fraction = 0.;     ///< Of the whole job, 0..1, never falls.
};

/// A job with what is only known now: for answers to clients.
struct job_view {
  job record;
  job_progress progress;
  int64_t position = 0;  ///< Jobs ahead of it in the queue; 0 when it is not queued or next.
  double eta_s = -1.;    ///< Estimated seconds to the end; negative when unknown.
  bool replayed = false; ///< The request had its effect before: `request_key`.
  bool reused = false;   ///< The request asked for work that is done or under way already.
};

/// A durable line of a job's history: every change of state makes one.
struct job_event {
  int64_t sequence = 0; ///< Grows over the whole catalog.
  std::string job_id;
  timestamp_us at_us = 0;
  job_state state = job_state::queued;
  std::string actor;  ///< Who moved it, such as `registry` or `client`.
  std::string reason; ///< For people; may be empty.
  std::string avatar_id;
  uint32_t attempt = 1;
};

/// A job with all that ever happened to it.
struct job_history {
  job_view job;
  std::vector<job_event> events; ///< Oldest first.
};

/// Which part of what happens somebody follows.
struct event_query {
  std::string job_id;    ///< Empty: of all jobs.
  std::string avatar_id; ///< Empty: of all avatars.
  int64_t after = -1;    ///< Sequence of the last event that is known; negative: none.
  uint32_t limit = 200;  ///< Events in one page.
};

/// What has happened since, and where things stand.
struct event_page {
  std::vector<job_event> events; ///< Oldest first.
  int64_t last = 0;              ///< Everything up to this sequence is in the page or before it.
  bool more = false;             ///< There may be more events: ask again, with `after = last`.
  std::vector<job_view> jobs;    ///< On the last page: the one job, or all that are not final.
  int64_t forgotten = 0; ///< Events up to this sequence were asked for and are kept no more.
};

/// One published version of an avatar.
struct avatar_version {
  std::string version; ///< `v000001`; `adopted` for a plain folder found at start.
  timestamp_us created_us = 0;
  std::string job_id;
  std::string engine; ///< `native`, `mock`, `adopted`.
  std::string weights;
  int64_t frames = 0; ///< N, before mirroring; 0 for mock.
  int32_t width = 0;
  int32_t height = 0;
  double duration_s = 0.;
  uint64_t bytes = 0; ///< On disk.
  std::string video_sha256;
  bool apply_blur = false;
  std::string options_key;     ///< As `job::options_key`.
  timestamp_us retired_us = 0; ///< When another version took its place; 0: never.
  timestamp_us checked_us = 0; ///< When its files were last compared with their sums; 0: never.
};

/// One version of one avatar.
struct version_ref {
  std::string avatar_id;
  std::string version;
};

/// An avatar as the catalog knows it.
struct avatar {
  std::string avatar_id;
  std::string tutor_id;
  timestamp_us created_us = 0;
  timestamp_us updated_us = 0;
  std::string
      status; ///< `ready` (a version is published), `preparing`, or `failed` (none ever was).
  std::string current_version;          ///< Empty until one is published.
  std::vector<avatar_version> versions; ///< Oldest first.
  std::string latest_job_id;
  timestamp_us used_us = 0; ///< Last use that the service knows of.
  bool pinned = false;      ///< Never removed by itself.
};

/// A video that an avatar made. Its file is whole as long as this is known.
struct spoken_video {
  std::string video_id; ///< The id of its job.
  std::string avatar_id;
  std::string version; ///< Of the avatar: the one that speaks.
  timestamp_us created_us = 0;
  std::string weights;    ///< `real` or `synthetic`.
  std::string audio_name; ///< As the client gave it; display only.
  std::string audio_sha256;
  int64_t frames = 0;
  int32_t fps = 0;
  int32_t width = 0;
  int32_t height = 0;
  double duration_s = 0.;
  uint64_t bytes = 0;
  speech_options options;
};

/// The file of a video, as it lies on disk.
struct stored_video {
  std::string avatar_id;
  std::string video_id;
  uint64_t bytes = 0;

  friend bool operator==(const stored_video&, const stored_video&) = default;
};

/// Whether the avatar has a version of that name.
bool has_version(const avatar& x, std::string_view version) noexcept;

/// What part of a list to answer.
struct page_request {
  uint32_t limit = 100;
  std::string cursor; ///< Opaque; from the answer before. Empty for the first page.
};

struct avatar_filter {
  std::string tutor_id; ///< Empty: any.
  std::string status;   ///< Empty: any.
};

struct job_filter {
  std::vector<job_state> states; ///< Empty: any.
  std::string avatar_id;         ///< Empty: any.
  std::string tutor_id;          ///< Empty: any.
};

struct avatar_page {
  uint64_t total = 0; ///< All that match, not only this page.
  std::vector<avatar> avatars;
  std::string next_cursor; ///< Empty on the last page.
};

struct video_page {
  uint64_t total = 0;
  std::vector<spoken_video> videos;
  std::string next_cursor;
};

struct job_page {
  uint64_t total = 0;
  std::vector<job_view> jobs;
  std::string next_cursor;
};

} // namespace musetalk::pipeline
