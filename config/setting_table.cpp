#include "config/setting_table.hpp"

#include "config/rules.hpp"

#include <algorithm>
#include <vector>

namespace musetalk::config {

namespace {

setting row(std::string_view section, std::string_view key, std::string_view fallback,
            std::string_view unit, rule how, std::string meaning) {
  return {section,
          key,
          how.type,
          fallback,
          unit,
          std::move(meaning),
          std::move(how.text),
          false,
          std::move(how.store)};
}

std::vector<setting> make_table() {
  using s = settings;
  constexpr auto seed = std::string_view{"What the service makes"};
  constexpr auto keeping = std::string_view{"How long things stay"};
  constexpr auto input = std::string_view{"What comes in"};
  constexpr auto jobs = std::string_view{"Jobs"};
  constexpr auto preparation = std::string_view{"Preparation"};
  constexpr auto speaking = std::string_view{"Speaking"};
  constexpr auto serving = std::string_view{"Serving"};
  constexpr auto watching = std::string_view{"Watching"};
  constexpr auto log = std::string_view{"Log"};
  return {
      row(seed, "ENABLE_AVATAR", "true", "", yes_no(&s::enable_avatar),
          "false is mock mode: video and metadata are kept, nothing is computed."),
      row(seed, "AVATARS_DIR", "data/avatars", "", path(&s::avatars_dir),
          "Where avatars, uploads in progress and the catalog lie. Made if missing."),
      row(seed, "MUSETALK_BASE", "data/MuseTalk", "", path(&s::musetalk_base),
          "The MuseTalk folder; weights are read from its models/ folder."),
      row(seed, "MUSETALK_CONDA_ENV", "MuseTalk", "", plain_text(&s::musetalk_conda_env),
          "Conda environment of the upstream engine; the native engine needs none."),
      row(seed, "FFMPEG_PATH", "", "", path(&s::ffmpeg_path),
          "An ffmpeg program or its folder, for the upstream engine; the native engine converts in "
          "process."),
      row(seed, "MUSETALKD_ENGINE", "native", "", one_of(&s::engine, {"native"}, {"upstream"}),
          "Who computes."),
      row(seed, "MUSETALKD_WEIGHTS", "auto", "", one_of(&s::weights, {"auto", "synthetic"}),
          "synthetic: small random networks, to run the whole path without weights. What they "
          "make is marked and of no use."),
      row(seed, "MUSETALKD_FACE_BACKEND", "auto", "",
          one_of(&s::face_backend, {"auto", "dwpose", "mediapipe"}),
          "Who finds the face. dwpose is MuseTalk's own way and needs its weights (DWPose and "
          "S3FD); auto takes it where they are, else mediapipe."),
      row(seed, "MUSETALKD_PARSING_MODE", "jaw", "",
          one_of(&s::parsing_mode, {"jaw", "neck", "raw"}),
          "Which part of the face is blended: jaw is MuseTalk v1.5's, raw v1.0's, neck is raw with "
          "the neck."),
      row(seed, "MUSETALKD_DEVICE", "auto", "", device_name(&s::device), "Where networks run."),
      row(seed, "MUSETALKD_FACE_MODELS_DIR", ".deps/models/face", "", path(&s::face_models_dir),
          "The face networks (ONNX) that the set-up converts."),
      row(seed, "MUSETALKD_KEEP_DAMAGED_DAYS", "30", "days",
          whole(&s::keep_damaged_days, 0, 36'500),
          "A version whose files differ from what was written is set aside in "
          "AVATARS_DIR/.store/.damaged; a start deletes it after so long."),

      row(keeping, "MUSETALKD_KEEP_VERSIONS", "0", "versions", whole(&s::keep_versions, 0, 100'000),
          "Versions kept of each avatar, the current one among them; older ones go. 0 keeps all."),
      row(keeping, "MUSETALKD_EXPIRE_DAYS", "0", "days", whole(&s::expire_days, 0, 36'500),
          "An avatar that nobody used for so long goes with all its versions, unless it is pinned. "
          "0: never."),
      row(keeping, "MUSETALKD_MAX_STORE_GB", "0", "GB", number(&s::max_store_gb, 0, 1e6),
          "Size of all versions, in units of 1,000,000,000 bytes. Beyond it old versions go, then "
          "the avatars that were used the longest ago. 0: no limit."),
      row(keeping, "MUSETALKD_CLEAN_INTERVAL_SECONDS", "600", "s",
          whole(&s::clean_interval_seconds, 1, 86'400),
          "Time between two looks at what the three above would have go."),
      row(keeping, "MUSETALKD_REMOVAL_GRACE_SECONDS", "60", "s",
          whole(&s::removal_grace_seconds, 0, 86'400),
          "A replaced version stays at least so long, and so do the files of a removed one on the "
          "disk, unless it has less than 1 GB free: somebody may still read them."),
      row(keeping, "MUSETALKD_KEEP_EVENTS_DAYS", "90", "days",
          whole(&s::keep_events_days, 0, 36'500),
          "How long the history of jobs that have ended is kept. 0: for ever."),
      row(keeping, "MUSETALKD_MAX_EVENTS", "1000000", "events",
          whole(&s::max_events, 0, 1'000'000'000),
          "Events kept of all jobs together; the oldest go first. 0: no limit."),
      row(keeping, "MUSETALKD_SCRUB_MB_PER_SECOND", "4", "MB/s",
          number(&s::scrub_mb_per_second, 0, 10'000),
          "Rate at which the files of versions are read in the background and compared with their "
          "manifest. 0: never."),
      row(keeping, "MUSETALKD_SCRUB_DAYS", "7", "days", whole(&s::scrub_days, 0, 36'500),
          "After so long a version is compared again."),

      row(input, "MUSETALKD_VIDEO_ROOTS", "data/videos", "", path_list(&s::video_roots),
          "Folders below which video_path of a create request may lie."),
      row(input, "MUSETALKD_MAX_VIDEO_SECONDS", "30", "s",
          number(&s::max_video_seconds, 0.04, 3600),
          "Longest video; also bounds its frames (25 each second)."),
      row(input, "MUSETALKD_MAX_VIDEO_PIXELS", "8294400", "pixels",
          whole(&s::max_video_pixels, 4096, 268'435'456),
          "Largest picture, width x height; the default is 3840 x 2160."),
      row(input, "MUSETALKD_MIN_VIDEO_SIDE", "64", "pixels", whole(&s::min_video_side, 2, 4096),
          "Least width and height."),
      row(input, "MUSETALKD_MAX_PROBE_SECONDS", "2", "s", number(&s::max_probe_seconds, 0.1, 60),
          "Longest look at a file before it is refused as unreadable."),
      row(input, "MUSETALKD_MAX_UPLOAD_MB", "500", "MB", whole(&s::max_upload_mb, 1, 100'000),
          "Largest upload, in units of 1,000,000 bytes."),
      row(input, "MUSETALKD_MAX_IMPORT_MB", "4000", "MB", whole(&s::max_import_mb, 1, 1'000'000),
          "Largest archive of an import, in units of 1,000,000 bytes."),
      row(input, "MUSETALKD_UPLOAD_IDLE_SECONDS", "30", "s",
          whole(&s::upload_idle_seconds, 1, 3600),
          "An upload that stands still for so long is removed."),
      row(input, "MUSETALKD_MAX_BODY_KB", "64", "kB", whole(&s::max_body_kb, 1, 10'000),
          "Largest body of a request that is no upload."),

      row(jobs, "MUSETALKD_QUEUE_LIMIT", "16", "jobs", whole(&s::queue_limit, 1, 10'000),
          "Jobs that may wait; beyond it the answer is 429."),
      row(jobs, "MUSETALKD_RUNNING_JOBS", "1", "jobs", whole(&s::running_jobs, 1, 64),
          "Jobs that run at the same time."),
      row(jobs, "MUSETALKD_MAX_ATTEMPTS", "3", "attempts", whole(&s::max_attempts, 1, 100),
          "How often a job that a restart interrupted is tried in all."),
      row(jobs, "MUSETALKD_KEEP_FAILED_SECONDS", "86400", "s",
          whole(&s::keep_failed_seconds, 0, 2'592'000),
          "How long the upload of a failed job is kept, so that the job can be retried."),
      row(jobs, "MUSETALKD_JOB_TIMEOUT_SECONDS", "7200", "s",
          whole(&s::job_timeout_seconds, 1, 604'800), "Longest run of one job."),
      row(jobs, "MUSETALKD_STEP_TIMEOUT_SECONDS", "600", "s",
          whole(&s::step_timeout_seconds, 1, 86'400),
          "Longest wait inside a job for one answer, such as a batch from the device."),
      row(jobs, "MUSETALKD_BATCH_FRAMES", "8", "frames", whole(&s::batch_frames, 1, 256),
          "Frames that travel and are computed together."),
      row(jobs, "MUSETALKD_CREDIT_BATCHES", "3", "batches", whole(&s::credit_batches, 1, 64),
          "Batches of one job that may be under way at once; bounds its memory."),
      row(jobs, "MUSETALKD_DEVICE_QUEUE_LIMIT", "64", "requests",
          whole(&s::device_queue_limit, 1, 10'000), "Requests that may wait for the device."),

      row(preparation, "MUSETALKD_X264_PRESET", "veryfast", "",
          one_of(&s::x264_preset, {"ultrafast", "superfast", "veryfast", "faster", "fast", "medium",
                                   "slow", "slower", "veryslow"}),
          "Speed of the H.264 encoder against quality at the same rate."),
      row(preparation, "MUSETALKD_VIDEO_KBPS", "3000", "kbit/s",
          whole(&s::video_kbps, 100, 100'000), "Rate of the kept video."),
      row(preparation, "MUSETALKD_MAX_GAP_FRAMES", "12", "frames",
          whole(&s::max_gap_frames, 0, 10'000),
          "Consecutive frames without a face that are interpolated; more fail the job."),
      row(preparation, "MUSETALKD_BLUR_STRENGTH", "2", "%", number(&s::blur_strength, 0.2, 10),
          "Standard deviation of the background's blur (apply_blur), of the longer side."),
      row(preparation, "MUSETALKD_FACE_SAMPLES", "7", "frames", whole(&s::face_samples, 1, 100),
          "Frames that are looked at for one clear face before the work starts."),
      row(preparation, "MUSETALKD_MIN_FACE_PIXELS", "40", "pixels",
          whole(&s::min_face_pixels, 8, 4096), "Least width of the face."),
      row(preparation, "MUSETALKD_MAX_DAMAGED_PERCENT", "2", "%",
          number(&s::max_damaged_percent, 0, 100),
          "Share of frames that may be undecodable before the video is refused."),
      row(preparation, "MUSETALKD_CPU_THREADS", "0", "threads", whole(&s::cpu_threads, 0, 1024),
          "Threads for networks and codecs; 0 takes all cores."),

      row(speaking, "MUSETALKD_SPEAK", "true", "", yes_no(&s::speak),
          "Load the networks with which avatars speak, where their files are there; false saves "
          "their memory on a machine that only prepares avatars."),
      row(speaking, "MUSETALKD_MAX_SPEECH_SECONDS", "600", "s",
          number(&s::max_speech_seconds, 0.04, 86'400), "Longest sound that is spoken."),
      row(speaking, "MUSETALKD_SPEECH_CACHE_MB", "512", "MB",
          whole(&s::speech_cache_mb, 0, 100'000),
          "Decoded frames that a job which speaks keeps (compressed), in units of 1,000,000 "
          "bytes."),

      row(serving, "MUSETALKD_LISTEN", "127.0.0.1:9000", "", address(&s::listen),
          "Where the service listens; port 0 takes a free one. Another address than loopback needs "
          "MUSETALKD_ALLOW_ANONYMOUS=true."),
      row(serving, "MUSETALKD_ALLOW_ANONYMOUS", "false", "", yes_no(&s::allow_anonymous),
          "true: whoever reaches the address may upload and delete. Put a proxy that asks who it "
          "is in front."),
      row(serving, "MUSETALKD_ALLOWED_ORIGINS", "", "", origins(&s::allowed_origins),
          "Web sites whose pages may open WebSockets here, beside those that this address serves; "
          "* allows all."),
      row(serving, "MUSETALKD_HTTP_THREADS", "2", "threads", whole(&s::http_threads, 1, 64),
          "Threads that read requests."),
      row(serving, "MUSETALKD_HTTP_CONNECTIONS", "1024", "connections",
          whole(&s::http_connections, 4, 100'000), "Connections that may be open; two files each."),
      row(serving, "MUSETALKD_HEADER_TIMEOUT_SECONDS", "10", "s",
          whole(&s::header_timeout_seconds, 1, 3600), "Longest time for the head of a request."),
      row(serving, "MUSETALKD_KEEP_ALIVE_SECONDS", "75", "s",
          whole(&s::keep_alive_seconds, 1, 3600), "How long an idle connection is kept."),
      row(serving, "MUSETALKD_WRITE_STALL_SECONDS", "30", "s",
          whole(&s::write_stall_seconds, 1, 3600),
          "A client that takes nothing of its answer for so long is dropped."),
      row(serving, "MUSETALKD_REQUEST_TIMEOUT_SECONDS", "30", "s",
          whole(&s::request_timeout_seconds, 1, 3600),
          "Longest wait for an answer inside the service, ?wait= apart."),
      row(serving, "MUSETALKD_MAX_WAIT_SECONDS", "600", "s", whole(&s::max_wait_seconds, 0, 86'400),
          "Longest ?wait= that a client may ask for."),
      row(serving, "MUSETALKD_SHUTDOWN_SECONDS", "20", "s", whole(&s::shutdown_seconds, 1, 3600),
          "How long requests under way may take to end when the service stops."),

      row(watching, "MUSETALKD_WATCH_MAILBOX", "1000", "messages",
          whole(&s::watch_mailbox, 1, 1'000'000),
          "An actor with more messages waiting is told in the log, the metrics and the console."),
      row(watching, "MUSETALKD_WATCH_WAITING_SECONDS", "30", "s",
          whole(&s::watch_waiting_seconds, 1, 86'400),
          "The same for an actor whose oldest message has waited for longer."),
      row(watching, "MUSETALKD_WATCH_HANDLER_SECONDS", "60", "s",
          whole(&s::watch_handler_seconds, 1, 86'400),
          "The same for an actor that works on one message for longer."),

      row(log, "MUSETALKD_LOG_LEVEL", "info", "",
          one_of(&s::log_level, {"trace", "debug", "info", "warn", "error"}), "What is logged."),
      row(log, "MUSETALKD_LOG_FORMAT", "pretty", "", one_of(&s::log_format, {"pretty", "json"}),
          "pretty for people, json: one object in each line."),
  };
}

/// Whether a value must be quoted in a `.env` file. None of the defaults needs it today.
std::string quoted(std::string_view value) {
  auto special = value.find_first_of(" \t#'\"\\$") != std::string_view::npos;
  return special ? "'" + std::string{value} + "'" : std::string{value};
}

/// Comment lines of at most 100 columns.
std::string comment(const std::string& text) {
  auto result = std::string{};
  auto line = std::string{"#"};
  auto rest = std::string_view{text};
  while (!rest.empty()) {
    auto end = std::min(rest.find(' '), rest.size());
    if (line.size() + 1 + end > 100) {
      result += line + "\n";
      line = "#";
    }
    line += " " + std::string{rest.substr(0, end)};
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return result + line + "\n";
}

} // namespace

std::span<const setting> setting_table() {
  static const auto table = make_table();
  return table;
}

const setting* find_setting(std::string_view key) {
  for (const auto& x : setting_table())
    if (x.key == key)
      return &x;
  return nullptr;
}

std::string flag_of(std::string_view key) {
  if (key.starts_with(own_prefix))
    key.remove_prefix(own_prefix.size());
  auto result = std::string{key};
  for (auto& c : result)
    c = c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

std::string example_file() {
  auto result = std::string{
      "# Settings of musetalkd. Copy to .env and change what you need: every line shows the "
      "default.\n"
      "# The environment wins over this file, flags win over the environment "
      "(musetalkd --print-config).\n"};
  auto section = std::string_view{};
  for (const auto& x : setting_table()) {
    if (x.section != section)
      result += "\n# -- " + std::string{x.section} + " --\n";
    section = x.section;
    auto rule = " (" + std::string{x.type} + ": " + x.rule +
                (x.unit.empty() ? "" : ", in " + std::string{x.unit}) + ")";
    result += "\n" + comment(x.meaning + rule);
    result += std::string{x.key} + "=" + quoted(x.fallback) + "\n";
  }
  return result;
}

} // namespace musetalk::config
