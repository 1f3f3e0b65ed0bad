#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace musetalk::config {

/// An address to listen on.
struct endpoint {
  std::string host = "127.0.0.1"; ///< An IPv4 or IPv6 address, without brackets.
  uint16_t port = 9000;           ///< 0: any free one (for tests).

  /// Whether only this machine can reach it.
  bool loopback() const noexcept;

  /// `127.0.0.1:9000`, `[::1]:9000`.
  std::string text() const;

  friend bool operator==(const endpoint&, const endpoint&) = default;
};

/// Every setting, typed and checked. `config/setting_table.cpp` is the one place that gives each
/// its key, default, unit, meaning and rule; this struct only holds the values. Plain data: copies
/// freely, changes never after start-up.
struct settings {
  // -- what the service makes
  bool enable_avatar = true; ///< False: mock mode, video and metadata only.
  std::filesystem::path avatars_dir;
  std::filesystem::path musetalk_base; ///< The user's MuseTalk; its weights lie in `models/`.
  std::string musetalk_conda_env;
  std::filesystem::path ffmpeg_path;
  std::string engine;       ///< `native`.
  std::string weights;      ///< `auto` or `synthetic`.
  std::string face_backend; ///< `auto`, `dwpose` or `mediapipe`.
  std::string parsing_mode; ///< `jaw`, `neck` or `raw`.
  std::string device;       ///< `auto`, `cpu` or `cuda:N`.
  std::filesystem::path face_models_dir;
  int32_t keep_damaged_days = 0; ///< Then a version that was set aside is deleted.
  // -- how long things stay
  int32_t keep_versions = 0;          ///< Of an avatar; 0: all.
  int32_t expire_days = 0;            ///< Without use; 0: never.
  double max_store_gb = 0.;           ///< Units of 1,000,000,000 bytes; 0: no limit.
  int32_t clean_interval_seconds = 0; ///< Between two looks at the three above.
  int32_t removal_grace_seconds = 0;  ///< Files that somebody may still read.
  int32_t keep_events_days = 0;       ///< 0: for ever.
  int64_t max_events = 0;             ///< 0: no limit.
  double scrub_mb_per_second = 0.;    ///< 0: versions are not compared.
  int32_t scrub_days = 0;             ///< Until a version is compared again.
  // -- what comes in
  std::vector<std::filesystem::path> video_roots; ///< Where `video_path` of a request may lie.
  double max_video_seconds = 0.;
  int64_t max_video_pixels = 0;    ///< Width x height of one frame.
  int32_t min_video_side = 0;      ///< Pixels.
  double max_probe_seconds = 0.;   ///< Wall time.
  int64_t max_upload_mb = 0;       ///< Units of 1,000,000 bytes.
  int64_t max_import_mb = 0;       ///< Units of 1,000,000 bytes.
  int32_t upload_idle_seconds = 0; ///< An upload that stands still for so long is removed.
  int64_t max_body_kb = 0;         ///< Of a request that is no upload; units of 1,000 bytes.
  // -- jobs
  int32_t queue_limit = 0;
  int32_t running_jobs = 0;
  int32_t max_attempts = 0;
  int32_t keep_failed_seconds = 0; ///< The upload of a failed job.
  int32_t job_timeout_seconds = 0;
  int32_t step_timeout_seconds = 0;
  int32_t batch_frames = 0;
  int32_t credit_batches = 0;
  int32_t device_queue_limit = 0;
  // -- preparation
  std::string x264_preset;
  int32_t video_kbps = 0;
  int32_t max_gap_frames = 0;
  double blur_strength = 0.; ///< Percent of the longer side.
  int32_t face_samples = 0;
  int32_t min_face_pixels = 0;
  double max_damaged_percent = 0.;
  int32_t cpu_threads = 0; ///< 0: all cores.
  // -- speaking
  bool speak = true; ///< False: the networks that speak are not loaded.
  double max_speech_seconds = 0.;
  int32_t speech_cache_mb = 0; ///< Decoded frames of one job; units of 1,000,000 bytes.
  // -- serving
  endpoint listen;
  bool allow_anonymous = false;
  std::vector<std::string> allowed_origins; ///< `https://host:port` in lower case, or `*`.
  int32_t http_threads = 0;
  int32_t http_connections = 0;
  int32_t header_timeout_seconds = 0;
  int32_t keep_alive_seconds = 0;
  int32_t write_stall_seconds = 0;
  int32_t request_timeout_seconds = 0;
  int32_t max_wait_seconds = 0;
  int32_t shutdown_seconds = 0;
  // -- watching
  int32_t watch_mailbox = 0; ///< Messages.
  int32_t watch_waiting_seconds = 0;
  int32_t watch_handler_seconds = 0;
  // -- log
  std::string log_level;
  std::string log_format; ///< `pretty` or `json`.

  /// Where the weights lie.
  std::filesystem::path models_dir() const { return musetalk_base / "models"; }

  /// Whether networks are random and results mean nothing.
  bool synthetic() const { return weights == "synthetic"; }

  /// What networks are made of: `none` in mock mode, `synthetic` or `real`.
  std::string weights_mode() const {
    if (!enable_avatar)
      return "none";
    return synthetic() ? "synthetic" : "real";
  }
  uint64_t max_import_bytes() const { return static_cast<uint64_t>(max_import_mb) * 1'000'000; }

  uint64_t max_upload_bytes() const { return static_cast<uint64_t>(max_upload_mb) * 1'000'000; }
};

} // namespace musetalk::config
