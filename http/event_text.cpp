#include "http/event_text.hpp"

#include "http/json.hpp"

namespace musetalk::http {

namespace {

/// JSON on one line: it has no line breaks of its own.
std::string message(std::string_view type, std::string_view data, const std::string& id = "") {
  auto result = "event: " + std::string{type} + "\n";
  if (!id.empty())
    result += "id: " + id + "\n";
  return result.append("data: ").append(data).append("\n\n");
}

} // namespace

std::string stream_prelude() {
  return "retry: 2000\n\n";
}

std::string event_text(int64_t sequence, std::string_view data) {
  return message("state", data, std::to_string(sequence));
}

std::string progress_text(std::string_view data) {
  return message("progress", data);
}

std::string page_text(const pipeline::event_page& x) {
  auto result = std::string{};
  if (x.forgotten > 0)
    result += message("gap", text_of({{"forgotten", x.forgotten}}));
  for (const auto& event : x.events)
    result += event_text(event.sequence, text_of(to_json(event)));
  if (x.more)
    return result;
  return result +
         message("snapshot", text_of({{"jobs", jobs_json(x.jobs)}}), std::to_string(x.last));
}

std::string_view heartbeat_text() {
  return ":\n\n";
}

} // namespace musetalk::http
