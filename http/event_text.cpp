#include "http/event_text.hpp"

#include "http/json.hpp"

namespace musetalk::http {

namespace {

/// JSON on one line: it has no line breaks of its own.
std::string message(std::string_view type, const json& data, const std::string& id = "") {
  auto result = "event: " + std::string{type} + "\n";
  if (!id.empty())
    result += "id: " + id + "\n";
  return result + "data: " + text_of(data) + "\n\n";
}

} // namespace

std::string stream_prelude() {
  return "retry: 2000\n\n";
}

std::string event_text(const pipeline::job_event& x) {
  return message("state", to_json(x), std::to_string(x.sequence));
}

std::string progress_text(const pipeline::job_view& x) {
  return message("progress", to_json(x));
}

std::string page_text(const pipeline::event_page& x) {
  auto result = std::string{};
  for (const auto& event : x.events)
    result += event_text(event);
  if (x.more)
    return result;
  auto jobs = json::array();
  for (const auto& job : x.jobs)
    jobs.push_back(to_json(job));
  return result + message("snapshot", {{"jobs", std::move(jobs)}}, std::to_string(x.last));
}

std::string_view heartbeat_text() {
  return ":\n\n";
}

} // namespace musetalk::http
