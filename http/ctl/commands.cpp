#include "http/ctl/commands.hpp"

#include "pipeline/time.hpp"

#include <utility>

namespace musetalk::http::ctl {

namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 300ms;

/// Failed looks in a row before a waiting client gives up: half a minute, enough for a restart.
constexpr auto patience = 100;

std::string text_of(const json& x, const char* name) {
  auto found = x.is_object() ? x.find(name) : x.end();
  if (!x.is_object() || found == x.end() || found->is_null())
    return "-";
  return printable(found->is_string() ? found->get<std::string>() : found->dump());
}

std::string avatar_path(const std::string& id) {
  return "/mgmt/v1/avatars/" + percent_encoded(id);
}

/// `?a=1&b=2` of the pairs that have a value.
std::string query_of(const std::vector<std::pair<std::string, std::string>>& pairs) {
  auto result = std::string{};
  for (const auto& [name, value] : pairs)
    if (!value.empty())
      result += (result.empty() ? "?" : "&") + name + "=" + percent_encoded(value);
  return result;
}

exit_code refused(session& with, const reply& x) {
  with.out.problem(x);
  return exit_code::refused;
}

/// Objects as indented lines of `name: value`, for people.
std::string listing(const json& x, const std::string& indent = "") {
  auto result = std::string{};
  for (const auto& [name, value] : x.items()) {
    if (name == "links")
      continue;
    result += result.empty() && indent.empty() ? "" : "\n";
    result += indent + printable(name) + ": ";
    if (value.is_object() && !value.empty())
      result += listing(value, indent + "  ");
    else if (value.is_array() && !value.empty() && value.front().is_object())
      for (const auto& item : value)
        result += listing(item, indent + "  ") + "\n";
    else
      result += value.is_null()
                    ? "-"
                    : printable(value.is_string() ? value.get<std::string>() : value.dump());
  }
  return result;
}

exit_code shown(session& with, const reply& x) {
  if (!x.ok())
    return refused(with, x);
  with.out.result(x.body, listing(x.body));
  return exit_code::ok;
}

std::string row(const std::vector<std::pair<std::string, size_t>>& cells) {
  auto result = std::string{};
  for (auto [text, width] : cells) {
    text.resize(std::max(text.size(), width), ' ');
    result += (result.empty() ? "" : "  ") + text;
  }
  return result;
}

/// Says what became of an upload or create, and waits where wanted.
exit_code accepted(session& with, const reply& x, bool wait) {
  if (!x.ok())
    return refused(with, x);
  auto id = text_of(x.body, "job_id");
  auto text = "job " + id + " for avatar " + text_of(x.body, "avatar_id") + ": " +
              text_of(x.body, "status");
  with.out.result(x.body, text);
  return wait ? wait_for_job(with, id) : exit_code::ok;
}

/// `12 s of work, `; nothing when the times are not there.
std::string work_time(const json& job) {
  auto from = pipeline::from_rfc3339(text_of(job, "started_at"));
  auto to = pipeline::from_rfc3339(text_of(job, "finished_at"));
  if (!from || !to)
    return {};
  return duration_text(static_cast<double>(*to - *from) / 1e6) + " of work, ";
}

exit_code ended(session& with, const json& job) {
  auto status = text_of(job, "status");
  if (status == "completed") {
    auto speaks = text_of(job, "kind") == "speak";
    with.out.result(
        job, (speaks ? "video " + text_of(job, "job_id") + " of avatar " : std::string{"avatar "}) +
                 text_of(job, "avatar_id") + " is ready (" + work_time(job) +
                 "weights: " + text_of(job, "weights") + ")");
    return exit_code::ok;
  }
  auto failure = job.contains("error") && job["error"].is_object() ? job["error"] : json::object();
  auto text = "job " + text_of(job, "job_id") + " has " +
              (status == "cancelled" ? "been cancelled" : status);
  if (!failure.empty())
    text += ": " + text_of(failure, "detail") + "\n  " + text_of(failure, "hint") + "\n  (" +
            text_of(failure, "code") + ")";
  with.out.result(job, text);
  return exit_code::job_failed;
}

std::string avatar_row(const json& x) {
  auto versions = x.value("versions", json::array());
  auto current = json{};
  for (const auto& version : versions)
    if (version.value("version", "") == x.value("current_version", json{}))
      current = version;
  return row({{text_of(x, "avatar_id"), 24},
              {text_of(x, "status"), 9},
              {text_of(x, "current_version"), 8},
              {text_of(current, "frames"), 6},
              {text_of(current, "weights"), 9},
              {text_of(x, "tutor_id"), 10},
              {text_of(x, "updated_at"), 24}});
}

std::string job_row(const json& x) {
  return row({{text_of(x, "job_id"), 26},
              {text_of(x, "avatar_id"), 24},
              {text_of(x, "status"), 10},
              {text_of(x, "stage"), 8},
              {text_of(x, "created_at"), 24}});
}

} // namespace

std::string job_path(const std::string& job_id) {
  return "/mgmt/v1/jobs/" + percent_encoded(job_id);
}

bool is_final_job(const json& job) {
  auto status = text_of(job, "status");
  return status == "completed" || status == "failed" || status == "cancelled";
}

exit_code upload(session& with, const upload_request& what, bool wait) {
  auto answer = with.service.upload(
      what, [&](uint64_t sent, uint64_t total) { with.out.upload(sent, total); });
  return accepted(with, answer, wait);
}

exit_code create(session& with, const create_arguments& what, bool wait) {
  auto body = json{{"avatar_id", what.avatar_id},
                   {"video_path", what.video_path},
                   {"apply_blur", what.apply_blur}};
  if (!what.tutor_id.empty())
    body["tutor_id"] = what.tutor_id;
  return accepted(
      with,
      with.service.post("/mgmt/v1/avatars/create" + job_query(what.priority, what.force), body),
      wait);
}

exit_code validate(session& with, const std::filesystem::path& file, bool apply_blur) {
  auto sent = form{"/mgmt/v1/avatars/validate",
                   {{"apply_blur", apply_blur ? "true" : "false"}},
                   "video_file",
                   file};
  auto answer =
      with.service.send(sent, [&](uint64_t done, uint64_t total) { with.out.upload(done, total); });
  if (!answer.ok())
    return refused(with, answer);
  with.out.result(answer.body, listing(answer.body));
  return answer.body.value("passes", false) ? exit_code::ok : exit_code::refused;
}

exit_code list_avatars(session& with, const list_arguments& what) {
  auto cursor = std::string{};
  auto heading = true;
  do {
    auto answer = with.service.get("/mgmt/v1/avatars" + query_of({{"detail", "true"},
                                                                  {"limit", "1000"},
                                                                  {"tutor_id", what.tutor_id},
                                                                  {"status", what.status},
                                                                  {"cursor", cursor}}));
    if (!answer.ok())
      return refused(with, answer);
    if (with.out.terminal() && std::exchange(heading, false))
      with.out.result({}, row({{"AVATAR", 24},
                               {"STATUS", 9},
                               {"VERSION", 8},
                               {"FRAMES", 6},
                               {"WEIGHTS", 9},
                               {"TUTOR", 10},
                               {"UPDATED", 24}}));
    auto avatars = answer.body.value("avatars", json::array());
    for (const auto& x : avatars)
      with.out.result(x, avatar_row(x));
    cursor = answer.body.value("next_cursor", "");
  } while (!cursor.empty());
  return exit_code::ok;
}

exit_code show_avatar(session& with, const std::string& avatar_id) {
  return shown(with, with.service.get(avatar_path(avatar_id)));
}

exit_code delete_avatar(session& with, const std::string& avatar_id, bool force) {
  auto answer = with.service.remove(avatar_path(avatar_id) + (force ? "?force=true" : ""));
  if (!answer.ok())
    return refused(with, answer);
  with.out.result(answer.body, "avatar " + text_of(answer.body, "avatar_id") + " is deleted");
  return exit_code::ok;
}

namespace {

std::string version_path(const std::string& avatar_id, const std::string& version) {
  return avatar_path(avatar_id) + "/versions/" + percent_encoded(version);
}

exit_code show_current(session& with, const reply& x) {
  if (!x.ok())
    return refused(with, x);
  with.out.result(x.body, "avatar " + text_of(x.body, "avatar_id") + " is at version " +
                              text_of(x.body, "current_version"));
  return exit_code::ok;
}

} // namespace

exit_code list_versions(session& with, const std::string& avatar_id) {
  auto answer = with.service.get(avatar_path(avatar_id) + "/versions");
  if (!answer.ok())
    return refused(with, answer);
  auto current = text_of(answer.body, "current_version");
  if (with.out.terminal())
    with.out.result(
        {}, row({{"VERSION", 10}, {"", 7}, {"FRAMES", 6}, {"WEIGHTS", 9}, {"CREATED", 24}}));
  auto versions = answer.body.value("versions", json::array());
  for (const auto& x : versions)
    with.out.result(x, row({{text_of(x, "version"), 10},
                            {text_of(x, "version") == current ? "current" : "", 7},
                            {text_of(x, "frames"), 6},
                            {text_of(x, "weights"), 9},
                            {text_of(x, "created_at"), 24}}));
  return exit_code::ok;
}

exit_code activate_version(session& with, const std::string& avatar_id,
                           const std::string& version) {
  return show_current(with, with.service.post(version_path(avatar_id, version) + "/activate"));
}

exit_code delete_version(session& with, const std::string& avatar_id, const std::string& version) {
  return show_current(with, with.service.remove(version_path(avatar_id, version)));
}

exit_code list_jobs(session& with, const jobs_arguments& what) {
  auto answer = with.service.get("/mgmt/v1/jobs" + query_of({{"limit", "1000"},
                                                             {"status", what.status},
                                                             {"avatar_id", what.avatar_id},
                                                             {"tutor_id", what.tutor_id}}));
  if (!answer.ok())
    return refused(with, answer);
  if (with.out.terminal())
    with.out.result(
        {}, row({{"JOB", 26}, {"AVATAR", 24}, {"STATUS", 10}, {"STAGE", 8}, {"CREATED", 24}}));
  auto jobs = answer.body.value("jobs", json::array());
  for (const auto& x : jobs)
    with.out.result(x, job_row(x));
  return exit_code::ok;
}

exit_code show_job(session& with, const std::string& job_id, bool wait, bool history) {
  if (wait)
    return wait_for_job(with, job_id);
  return shown(with, with.service.get(job_path(job_id) + (history ? "?history=true" : "")));
}

exit_code retry_job(session& with, const std::string& job_id, bool wait) {
  return accepted(with, with.service.post(job_path(job_id) + "/retry"), wait);
}

exit_code cancel_job(session& with, const std::string& job_id) {
  auto answer = with.service.post(job_path(job_id) + "/cancel");
  if (!answer.ok())
    return refused(with, answer);
  with.out.result(answer.body,
                  "job " + text_of(answer.body, "job_id") + ": " + text_of(answer.body, "status"));
  return exit_code::ok;
}

exit_code wait_for_job(session& with, const std::string& job_id) {
  for (int failures = 0;;) {
    try {
      auto answer = with.service.get(job_path(job_id));
      if (answer.ok()) {
        failures = 0;
        if (is_final_job(answer.body))
          return ended(with, answer.body);
        with.out.job(answer.body);
      } else if (answer.status < 500 || ++failures >= patience) {
        return refused(with, answer);
      }
    } catch (const unreachable&) {
      if (++failures >= patience)
        throw;
    }
    with.sleep(look_every);
  }
}

} // namespace musetalk::http::ctl
