#pragma once

#include "http/ctl/api.hpp"
#include "http/ctl/output.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace musetalk::http::ctl {

/// How the program ends. Documented in docs/musetalkctl.md.
enum class exit_code : int {
  ok = 0,
  refused = 1,     ///< The service answered an error.
  usage = 2,       ///< Wrong arguments, or a file that cannot be read.
  unreachable = 3, ///< No service answers.
  job_failed = 4,  ///< The job that was waited for failed or was cancelled.
  unwell = 5,      ///< `doctor` or `verify` found a fault.
};

/// Waits between two looks at a job; tests pass one that does not.
using pause = std::function<void(std::chrono::milliseconds)>;

/// What every command works with.
struct session {
  api& service;
  output& out;
  pause sleep;
};

exit_code upload(session& with, const upload_request& what, bool wait);

struct create_arguments {
  std::string avatar_id;
  std::string video_path; ///< As the service sees it.
  std::string tutor_id;
  bool apply_blur = false;
  std::string priority; ///< As in `upload_request`.
  bool force = false;
};
exit_code create(session& with, const create_arguments& what, bool wait);

struct speak_arguments {
  std::string avatar_id;
  std::filesystem::path sound;
  std::filesystem::path output; ///< Empty: the video stays with the service.
  /// Fields of the request as the service names them; those with an empty text are left out.
  std::vector<std::pair<std::string, std::string>> options;
};
/// Has an avatar speak, waits for the end, and fetches the video where that is wanted.
exit_code speak(session& with, const speak_arguments& what);
/// The videos of an avatar, all pages.
exit_code list_videos(session& with, const std::string& avatar_id);
exit_code delete_video(session& with, const std::string& avatar_id, const std::string& video_id);

/// Sends a video only to hear what a job of it would meet. `refused` when it would fail.
exit_code validate(session& with, const std::filesystem::path& file, bool apply_blur);

struct list_arguments {
  std::string tutor_id;
  std::string status;
};
/// All pages.
exit_code list_avatars(session& with, const list_arguments& what);
exit_code show_avatar(session& with, const std::string& avatar_id);
exit_code delete_avatar(session& with, const std::string& avatar_id, bool force);
exit_code list_versions(session& with, const std::string& avatar_id);
/// Makes a version current.
exit_code activate_version(session& with, const std::string& avatar_id, const std::string& version);
/// Deletes one that is not current.
exit_code delete_version(session& with, const std::string& avatar_id, const std::string& version);

struct jobs_arguments {
  std::string status; ///< Several with commas between them.
  std::string avatar_id;
  std::string tutor_id;
};
/// The newest, at most 1000.
exit_code list_jobs(session& with, const jobs_arguments& what);
exit_code show_job(session& with, const std::string& job_id, bool wait, bool history);
exit_code cancel_job(session& with, const std::string& job_id);
exit_code retry_job(session& with, const std::string& job_id, bool wait);

/// Where the service has a job.
std::string job_path(const std::string& job_id);

/// Has the service compare store and catalog, and says what does not fit.
exit_code verify(session& with, bool deep);

/// Whether a job, as the service shows it, has ended.
bool is_final_job(const json& job);

/// Follows one job until it ends, or all jobs for ever. A connection that breaks is made again, and
/// nothing that happened meanwhile is missed.
exit_code watch(session& with, const std::string& job_id);

/// Shows a job's bar until it ends. A service that restarts meanwhile is waited for.
exit_code wait_for_job(session& with, const std::string& job_id);

} // namespace musetalk::http::ctl
