#include "http/ctl/commands.hpp"
#include "http/ctl/event_reader.hpp"

namespace musetalk::http::ctl {

namespace {

using namespace std::chrono_literals;

constexpr auto come_back_after = 500ms;

/// Failed connections in a row before it gives up: half a minute, enough for a restart.
constexpr auto patience = 60;

/// `2026-11-22T18:38:46.579Z  job … of anna: running (attempt 1)`.
std::string line_of(const json& event) {
  auto reason = text_member(event, "reason");
  return text_member(event, "at") + "  job " + text_member(event, "job_id") + " of " +
         text_member(event, "avatar_id") + ": " + text_member(event, "status") +
         (reason.empty() ? "" : " (" + reason + ")");
}

/// Shows one event: all of it when piped, for people what they can use.
void show(output& out, const server_event& event) {
  auto data = json::parse(event.data, nullptr, false);
  if (!data.is_object())
    return;
  if (!out.terminal()) {
    auto line = json{{"event", event.type}};
    line.update(data);
    out.result(line, "");
  } else if (event.type == "progress") {
    out.job(data);
  } else if (event.type == "state") {
    out.result({}, line_of(data));
  } else if (event.type == "snapshot" && data.contains("jobs") && data["jobs"].is_array()) {
    for (const auto& job : data["jobs"])
      out.job(job);
  }
}

} // namespace

exit_code watch(session& with, const std::string& job_id) {
  auto path = job_id.empty() ? std::string{"/mgmt/v1/events"} : job_path(job_id) + "/events";
  auto failures = 0;
  auto reader = event_reader{[&](const server_event& event) {
    failures = 0;
    show(with.out, event);
  }};
  for (;;) {
    reader.restart();
    try {
      auto answer = with.service.follow(path, reader.last_id(),
                                        [&](std::string_view piece) { return reader.push(piece); });
      // The stream of a job ends with it; 204 says that it had ended before.
      auto ended = answer.status == 200 || answer.status == 204;
      if (ended && !job_id.empty()) {
        auto job = with.service.get(job_path(job_id));
        if (!job.ok() || is_final_job(job.body))
          return wait_for_job(with, job_id);
      }
      if (!ended && (answer.status < 500 || ++failures >= patience)) {
        with.out.problem(answer);
        return exit_code::refused;
      }
    } catch (const unreachable&) {
      if (++failures >= patience)
        throw;
    }
    with.sleep(come_back_after);
  }
}

} // namespace musetalk::http::ctl
