#include "http/composition.hpp"

#include "http/logging.hpp"
#include "pipeline/avatar_archive.hpp"
#include "pipeline/avatar_export.hpp"
#include "pipeline/catalog.hpp"
#include "pipeline/device_networks.hpp"
#include "pipeline/disk_budget.hpp"
#include "pipeline/ids.hpp"
#include "pipeline/preflight.hpp"
#include "pipeline/sha256.hpp"
#include "pipeline/threads.hpp"
#include "pipeline/time.hpp"
#include "pipeline/video_roots.hpp"
#include "pipeline/work_options.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

namespace musetalk::http {

using std::chrono::microseconds;
using std::chrono::seconds;

namespace {

/// A video that lies on this machine, as if it had been uploaded: same limit, same hash.
pipeline::spooled_file resolve_video(std::span<const std::filesystem::path> roots,
                                     const std::string& path, uint64_t max_bytes) {
  auto video = pipeline::open_below(roots, path);
  if (video.bytes > max_bytes)
    throw error{errc::request_too_large, "The video has " + std::to_string(video.bytes) +
                                             " bytes; the limit is " + std::to_string(max_bytes) +
                                             "."};
  return {"", video.path, video.bytes, pipeline::sha256_of(video.handle)};
}

/// The same for a sound, in the words of its own request.
pipeline::spooled_file resolve_sound(std::span<const std::filesystem::path> roots,
                                     const std::string& path, uint64_t max_bytes) {
  try {
    return resolve_video(roots, path, max_bytes);
  } catch (const error& x) {
    if (x.code() == errc::video_path_forbidden)
      throw error{errc::audio_path_forbidden, "audio_path does not lie below an allowed folder.",
                  x.what()};
    if (x.code() == errc::video_path_not_found)
      throw error{errc::audio_path_not_found, "There is no file at audio_path.", x.what()};
    throw;
  }
}

pipeline::speech_limits speech_limits_of(const config::settings& x) {
  return {x.max_speech_seconds, x.max_probe_seconds};
}

actors::speech_parts speech_parts_of(const config::settings& x) {
  auto read = pipeline::speech_config{speech_limits_of(x),
                                      static_cast<uint64_t>(x.speech_cache_mb) * 1'000'000};
  auto write = pipeline::film_config{speech_limits_of(x), x.x264_preset, x.cpu_threads};
  return {[=](const auto& request, const auto& analysis) {
            return pipeline::open_speech(request, read, analysis);
          },
          [=](const auto& plan) {
            return pipeline::open_film(plan, write);
          }};
}

/// The packaged networks, sorted; none where the folder cannot be read.
std::vector<std::filesystem::path> networks_in(const std::filesystem::path& folder) {
  auto result = std::vector<std::filesystem::path>{};
  auto reason = std::error_code{};
  auto entries = std::filesystem::directory_iterator{folder, reason};
  for (; !reason && entries != std::filesystem::directory_iterator{}; entries.increment(reason))
    if (entries->path().extension() == ".onnx")
      result.push_back(entries->path());
  std::sort(result.begin(), result.end());
  return result;
}

} // namespace

pipeline::media_limits media_limits_of(const config::settings& x) {
  auto result = pipeline::media_limits{};
  result.max_video_seconds = x.max_video_seconds;
  result.max_pixels = x.max_video_pixels;
  result.min_side_pixels = x.min_video_side;
  result.max_frames =
      static_cast<int64_t>(std::ceil(x.max_video_seconds * pipeline::avatar_frames_per_second));
  result.max_probe_seconds = x.max_probe_seconds;
  return result;
}

pipeline::prepare_config prepare_config_of(const config::settings& x,
                                           const pipeline::face_methods& faces) {
  auto result = pipeline::prepare_config{};
  result.faces = faces;
  result.limits = media_limits_of(x);
  result.face_models_dir = x.face_models_dir;
  result.x264_preset = x.x264_preset;
  result.video_kilobits_per_second = x.video_kbps;
  result.max_gap_frames = x.max_gap_frames;
  result.blur_strength = x.blur_strength;
  result.face_samples = x.face_samples;
  result.min_face_pixels = x.min_face_pixels;
  result.max_damaged_share = x.max_damaged_percent / 100.;
  result.threads = x.cpu_threads;
  return result;
}

std::vector<std::string> missing_to_speak(const config::settings& x,
                                          const pipeline::weights_status& weights) {
  if (!x.enable_avatar)
    return {"all of them (ENABLE_AVATAR=false)"};
  if (!x.speak)
    return {"all of them (MUSETALKD_SPEAK=false)"};
  return weights.ready ? weights.speak_problems : weights.problems;
}

pipeline::networks_config networks_config_of(const config::settings& x,
                                             const pipeline::weights_status& weights,
                                             const pipeline::face_methods& faces) {
  return {x.models_dir(), x.synthetic(), x.device,
          x.cpu_threads,  faces,         missing_to_speak(x, weights).empty()};
}

pipeline::work_options work_options_of(const config::settings& x,
                                       const pipeline::weights_status& weights,
                                       const pipeline::face_methods& faces) {
  auto files = std::vector<std::filesystem::path>{};
  // Those that only speaking reads are of no meaning here.
  for (const auto& file : weights.files)
    if (weights.mode == "real" && file.usable && file.need.starts_with("create"))
      files.push_back(file.found);
  for (const auto& entry : networks_in(x.face_models_dir))
    files.push_back(entry);
  auto result = pipeline::work_options{};
  result.engine = x.enable_avatar ? x.engine : "mock";
  result.weights = x.weights_mode();
  result.models = pipeline::identity_of(files);
  result.faces = faces;
  result.x264_preset = x.x264_preset;
  result.video_kbps = x.video_kbps;
  result.max_gap_frames = x.max_gap_frames;
  result.max_damaged_share = x.max_damaged_percent / 100.;
  result.blur_strength = x.blur_strength;
  return result;
}

actors::system_config system_config_of(const config::settings& x,
                                       const pipeline::weights_status& weights,
                                       const pipeline::face_methods& faces) {
  auto result = actors::system_config{};
  result.faces = faces;
  result.work = work_options_of(x, weights, faces);
  result.mock = !x.enable_avatar;
  result.synthetic = x.synthetic();
  if (x.enable_avatar && !weights.ready)
    result.missing_models = weights.problems;
  result.missing_to_speak = missing_to_speak(x, weights);
  result.queue_limit = static_cast<size_t>(x.queue_limit);
  result.running_jobs = static_cast<size_t>(x.running_jobs);
  result.max_attempts = static_cast<uint32_t>(x.max_attempts);
  result.keep_failed = seconds{x.keep_failed_seconds};
  result.import_limits = media_limits_of(x);
  result.retention.keep_versions = static_cast<uint32_t>(x.keep_versions);
  result.retention.expire_us = microseconds{std::chrono::days{x.expire_days}}.count();
  result.retention.max_bytes = static_cast<uint64_t>(x.max_store_gb * 1e9);
  result.retention.grace_us = microseconds{seconds{x.removal_grace_seconds}}.count();
  result.clean_interval = seconds{x.clean_interval_seconds};
  result.keep_events = std::chrono::days{x.keep_events_days};
  result.max_events = x.max_events;
  result.scrub_bytes = static_cast<uint64_t>(x.scrub_mb_per_second * 1e6);
  result.scrub_age = std::chrono::days{x.scrub_days};
  result.job_timeout = seconds{x.job_timeout_seconds};
  result.step_timeout = seconds{x.step_timeout_seconds};
  result.batch_frames = x.batch_frames;
  result.credit_batches = x.credit_batches;
  result.device_queue_limit = static_cast<size_t>(x.device_queue_limit);
  // Two batches in one execution: jobs that run side by side share the device.
  result.device_batch_frames = 2 * static_cast<size_t>(x.batch_frames);
  result.upload_idle_timeout = seconds{x.upload_idle_seconds};
  result.max_wait = seconds{x.max_wait_seconds};
  return result;
}

actors::system_parts system_parts_of(const config::settings& x,
                                     const pipeline::weights_status& weights,
                                     const pipeline::face_methods& faces,
                                     actors::fatal_callback fatal) {
  auto root = x.avatars_dir;
  auto budget =
      std::make_shared<pipeline::disk_budget>([=] { return pipeline::disk_space_of(root); },
                                              pipeline::size_rule{!x.enable_avatar, x.video_kbps});
  auto keep = pipeline::store_policy{};
  keep.keep_damaged = std::chrono::days{x.keep_damaged_days};
  keep.grace = seconds{x.removal_grace_seconds};
  keep.budget = budget;
  auto limits = media_limits_of(x);
  auto prepare = prepare_config_of(x, faces);
  auto networks = networks_config_of(x, weights, faces);
  auto result = actors::system_parts{};
  result.open_store = [=] {
    return pipeline::open_avatar_store(root, keep);
  };
  result.open_catalog = [=] {
    return pipeline::open_sqlite_catalog(pipeline::store_layout{root}.catalog());
  };
  result.preprocessor.resolve = [roots = x.video_roots, most = x.max_upload_bytes()](
                                    const std::string& path, pipeline::job_kind kind) {
    return kind == pipeline::job_kind::speak ? resolve_sound(roots, path, most)
                                             : resolve_video(roots, path, most);
  };
  result.preprocessor.probe = [=, sound = speech_limits_of(x)](const auto& file,
                                                               pipeline::job_kind kind) {
    // The lists of an archive are read beside it, in the upload's own folder.
    if (kind == pipeline::job_kind::import_archive)
      return pipeline::probe_archive(file, file.parent_path(), limits);
    return kind == pipeline::job_kind::speak ? pipeline::probe_speech(file, sound)
                                             : pipeline::probe_video(file, limits);
  };
  result.preprocessor.check_faces = [=](const auto& clip, const auto& analysis) {
    pipeline::check_faces(clip.source, prepare, analysis, clip.stop);
  };
  result.preprocessor.examine = [=, mock = !x.enable_avatar](const auto& file) {
    return pipeline::examine_video(file, prepare, mock);
  };
  result.preprocessor.open_clip = [=](const auto& clip, const auto& analysis) {
    return pipeline::open_clip(clip, prepare, analysis);
  };
  result.speech = speech_parts_of(x);
  result.make_networks = [=] {
    return pipeline::open_device_networks(networks);
  };
  result.require_room = [=](const auto& video) {
    budget->require_possible(video);
  };
  result.now_us = pipeline::now_us;
  result.new_job_id = pipeline::new_job_id;
  result.fatal = std::move(fatal);
  return result;
}

exporter_config exporter_config_of(const config::settings& x) {
  auto result = exporter_config{};
  result.store = {x.avatars_dir};
  result.timeout = seconds{x.request_timeout_seconds};
  result.open = [](const std::filesystem::path& folder, const std::string& name) {
    auto archive = std::make_shared<pipeline::avatar_export>(folder, name);
    return export_source{archive->bytes(), [archive](std::span<std::byte> buffer) {
                           return archive->read(buffer);
                         }};
  };
  return result;
}

server_options server_options_of(const config::settings& x) {
  auto result = server_options{};
  result.host = x.listen.host;
  result.port = x.listen.port;
  result.threads = static_cast<size_t>(x.http_threads);
  result.limits.max_connections = static_cast<size_t>(x.http_connections);
  // Those that stay must not take the places of those that ask.
  result.limits.max_sockets = std::max<size_t>(result.limits.max_connections / 2, 1);
  result.limits.head_timeout = seconds{x.header_timeout_seconds};
  result.limits.body_idle_timeout = seconds{x.upload_idle_seconds};
  result.limits.keep_alive_timeout = seconds{x.keep_alive_seconds};
  result.limits.write_stall_timeout = seconds{x.write_stall_seconds};
  result.on_access = log_access;
  return result;
}

void set_up_process(const config::settings& x) {
  pipeline::set_picture_threads(x.cpu_threads);
}

} // namespace musetalk::http
