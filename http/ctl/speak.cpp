#include "http/ctl/commands.hpp"

#include <utility>

namespace musetalk::http::ctl {

namespace {

std::string videos_path(const std::string& avatar_id) {
  return "/mgmt/v1/avatars/" + percent_encoded(avatar_id) + "/videos";
}

std::string video_path(const std::string& avatar_id, const std::string& video_id) {
  return videos_path(avatar_id) + "/" + percent_encoded(video_id);
}

exit_code refused(session& with, const reply& x) {
  with.out.problem(x);
  return exit_code::refused;
}

/// A number or text of an object, fit to be printed.
std::string shown(const json& x, const char* name) {
  auto found = x.find(name);
  if (found == x.end() || found->is_null())
    return "-";
  return printable(found->is_string() ? found->get<std::string>() : found->dump());
}

exit_code fetch(session& with, const std::string& path, const speak_arguments& what) {
  auto answer = with.service.download(path, what.output);
  if (!answer.ok())
    return refused(with, answer);
  auto bytes = std::filesystem::file_size(what.output);
  with.out.result({{"file", what.output.string()}, {"bytes", bytes}}, what.output.string());
  return exit_code::ok;
}

} // namespace

exit_code speak(session& with, const speak_arguments& what) {
  auto sent = form{videos_path(what.avatar_id), {}, "audio_file", what.sound};
  for (const auto& [name, value] : what.options)
    if (!value.empty())
      sent.texts.emplace_back(name, value);
  auto answer =
      with.service.send(sent, [&](uint64_t done, uint64_t total) { with.out.upload(done, total); });
  if (!answer.ok())
    return refused(with, answer);
  auto job_id = text_member(answer.body, "job_id");
  with.out.result(answer.body, "job " + job_id + " for avatar " +
                                   text_member(answer.body, "avatar_id") + ": " +
                                   text_member(answer.body, "status"));
  if (auto ended = wait_for_job(with, job_id); ended != exit_code::ok || what.output.empty())
    return ended;
  return fetch(with, video_path(what.avatar_id, job_id), what);
}

exit_code list_videos(session& with, const std::string& avatar_id) {
  auto cursor = std::string{};
  do {
    auto query = "?limit=1000" + (cursor.empty() ? "" : "&cursor=" + percent_encoded(cursor));
    auto answer = with.service.get(videos_path(avatar_id) + query);
    if (!answer.ok())
      return refused(with, answer);
    for (const auto& x : answer.body.value("videos", json::array()))
      with.out.result(x, shown(x, "video_id") + "  " + shown(x, "created_at") + "  " +
                             shown(x, "duration_s") + " s  " + shown(x, "version") + "  " +
                             shown(x, "weights") + "  " + shown(x, "audio_name"));
    cursor = answer.body.value("next_cursor", "");
  } while (!cursor.empty());
  return exit_code::ok;
}

exit_code delete_video(session& with, const std::string& avatar_id, const std::string& video_id) {
  auto answer = with.service.remove(video_path(avatar_id, video_id));
  if (!answer.ok())
    return refused(with, answer);
  with.out.result(answer.body, "video " + text_member(answer.body, "video_id") + " is deleted");
  return exit_code::ok;
}

} // namespace musetalk::http::ctl
