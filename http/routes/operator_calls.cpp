#include "http/api/call.hpp"

namespace musetalk::http::api {

namespace {

constexpr auto tag = std::string_view{"operation"};

shape past_error() {
  return or_null(object({{"text", text("Code and detail.")}, {"ms_ago", whole()}}));
}

shape actor() {
  return object({
      {"id", whole()},
      {"name", text()},
      {"kind", text()},
      {"about", or_null(text("What it works for, such as a job's id."))},
      {"parent", whole("The id of the actor above it; 0: the service itself.")},
      {"thread", words({"own", "pool"})},
      {"state", words({"starting", "idle", "working", "stuck"})},
      {"depth", whole("Messages in the mailbox, the current one included.")},
      {"max_depth", whole()},
      {"oldest_ms", whole("Age of the oldest message that waits, at least.")},
      {"messages_per_s", number("In the last second.")},
      {"busy", number("Share of the last second, 0 to 1.")},
      {"handled", whole()},
      {"errors", whole()},
      {"restarts", whole()},
      {"current", or_null(object({{"type", text()}, {"ms", whole()}}, "The message it handles."))},
      {"over", list(words({"mailbox", "waiting", "handler"}), "Limits that are passed.")},
      {"last_error", past_error()},
  });
}

shape ended_actor() {
  return object({{"id", whole()},
                 {"name", text()},
                 {"kind", text()},
                 {"about", or_null(text())},
                 {"parent", whole()},
                 {"handled", whole()},
                 {"reason", or_null(text("Null: as planned."))},
                 {"last_error", past_error()},
                 {"at", time()}});
}

shape passed_limit() {
  return object({{"at", time()},
                 {"kind", words({"mailbox", "waiting", "handler"})},
                 {"actor_id", whole()},
                 {"actor", text()},
                 {"about", or_null(text())},
                 {"message", or_null(text("What it handled then."))},
                 {"value", number("The worst; messages, or seconds.")},
                 {"limit", number()},
                 {"began_at", time()},
                 {"ended_at", or_null(time("Null: it lasts."))}});
}

shape actors() {
  return object(
      {{"at", time()},
       {"limits", object({{"mailbox", whole()}, {"waiting_ms", whole()}, {"handler_ms", whole()}})},
       {"actors", list(actor())},
       {"ended", list(ended_actor(), "The latest first.")},
       {"events", list(passed_limit(), "The latest first.")}});
}

shape actor_in_detail() {
  auto type = object({{"type", text()},
                      {"count", whole()},
                      {"mean_us", number()},
                      {"p50_us", number()},
                      {"p99_us", number()},
                      {"max_us", number()}});
  auto history = object({{"begin", time()},
                         {"step_s", whole()},
                         {"depth", list(whole())},
                         {"messages_per_s", list(whole())},
                         {"busy", list(number())},
                         {"oldest_ms", list(whole())}});
  return with(actor(), {{"types", list(std::move(type))}, {"history", std::move(history)}});
}

shape device() {
  auto counts = object({{"bounds", list(number())},
                        {"counts", list(whole())},
                        {"total", whole()},
                        {"sum", number()}});
  auto kind = object({{"kind", text()},
                      {"count", whole()},
                      {"failed", whole()},
                      {"batch", counts},
                      {"seconds", counts}});
  return object(
      {{"waiting", map_of(whole(), "Requests by class.")}, {"executions", list(std::move(kind))}});
}

shape settings() {
  return object(
      {{"settings", list(object({{"key", text()},
                                 {"section", text()},
                                 {"value", text()},
                                 {"origin", words({"default", ".env", "environment", "flag"})},
                                 {"where", or_null(text())},
                                 {"unit", text()},
                                 {"meaning", text()},
                                 {"default", text()},
                                 {"rule", text()}}))}});
}

call page(std::string_view path, std::string_view id, std::string_view summary) {
  auto result = call{"GET", path, id, tag, summary, {}, {}, {}, {}};
  result.answers = {{200, "The file.", {"text/html", {}}, {"ETag"}},
                    {304, "It has not changed.", {}, {"ETag"}}};
  return result;
}

} // namespace

calls operator_calls() {
  return {
      {"GET",
       "/mgmt/v1/actors",
       "listActors",
       tag,
       "What every actor does, taken without asking it",
       {},
       {},
       {{200, "All that are alive.", {"application/json", actors()}, {}}},
       {}},
      {"GET",
       "/mgmt/v1/actors/:id",
       "getActor",
       tag,
       "One actor with its types of messages and its history",
       {{"seconds", whole("Of history, 1 to 3600; 300 without it.")}},
       {},
       {{200, "The actor.", {"application/json", actor_in_detail()}, {}}},
       {}},
      {"GET",
       "/mgmt/v1/device",
       "getDevice",
       tag,
       "What waits for the device and what ran on it",
       {},
       {},
       {{200, "Counts since the start.", {"application/json", device()}, {}}},
       {}},
      {"GET",
       "/mgmt/v1/settings",
       "listSettings",
       tag,
       "Every setting with its origin",
       {},
       {},
       {{200, "All of them.", {"application/json", settings()}, {}}},
       {}},
      {"GET",
       "/metrics",
       "getMetrics",
       tag,
       "Everything that is counted, for Prometheus",
       {},
       {},
       {{200, "In the text format 0.0.4.", {"text/plain", {}}, {}}},
       {}},
      page("/console", "openConsole", "The web console"),
      page("/console/:file", "getConsoleFile", "A file of it"),
  };
}

} // namespace musetalk::http::api
