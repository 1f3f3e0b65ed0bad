// http/socket_messages.cpp, event_socket.cpp and event_text.cpp make these messages; whoever
// changes one changes both.
#include "http/api/async_document.hpp"

#include <string>
#include <vector>

namespace musetalk::http::api {

namespace {

enum class way { in, out, event };

/// One kind of message.
struct kind {
  std::string_view name;
  std::string_view summary;
  way goes;
  shape payload;
};

shape just(std::string_view word) {
  return {{"const", word}};
}

shape topic() {
  return text("`all`, `job:ID` or `avatar:ID`.");
}

shape subject() {
  auto result = object({maybe("job_id", text()), maybe("avatar_id", text())},
                       "One job, those of an avatar, or `{}` for all.");
  result["maxProperties"] = 1;
  return result;
}

shape jobs() {
  return list(named("Job"), "The one job, or all that have not ended.");
}

std::vector<kind> kinds() {
  return {
      {"subscribe", "Follow: what was missed, where things stand, then everything as it happens.",
       way::in,
       object({{"subscribe", subject()},
               maybe("after", whole("The last sequence that the client has; 0: from the beginning. "
                                    "Without it nothing of the past is told."))})},
      {"unsubscribe", "Follow no longer.", way::in, object({{"unsubscribe", subject()}})},
      {"ping", "Ask for a sign of life.", way::in,
       object({{"ping", {{"type", {"string", "integer", "null"}}, {"maxLength", 64}}}})},
      {"subscribed", "The topic begins.", way::out,
       object({{"type", just("subscribed")}, {"topic", topic()}})},
      {"state", "A job has changed its state. Durable; never left out.", way::out,
       object({{"type", just("state")}, {"topic", topic()}, {"event", named("JobEvent")}})},
      {"snapshot", "Where things stand; everything up to the sequence is in it or before it.",
       way::out,
       object({{"type", just("snapshot")},
               {"topic", topic()},
               {"sequence", whole()},
               {"jobs", jobs()}})},
      {"gap", "First of all, when events that were asked for are kept no more.", way::out,
       object({{"type", just("gap")},
               {"topic", topic()},
               {"forgotten", whole("The last sequence that is kept no more.")}})},
      {"progress", "How far a job is: at most five a second, the latest wins.", way::out,
       object({{"type", just("progress")}, {"topic", topic()}, {"job", named("Job")}})},
      {"ended", "The one job of the topic has ended; nothing more comes of it.", way::out,
       object({{"type", just("ended")}, {"topic", topic()}})},
      {"unsubscribed", "Nothing more comes of the topic.", way::out,
       object({{"type", just("unsubscribed")}, {"topic", topic()}})},
      {"pong", "The answer to a ping, with its value.", way::out,
       object({{"type", just("pong")}, {"ping", {{"type", {"string", "integer", "null"}}}}})},
      {"error", "A message that was refused; five in excess of good ones close the socket.",
       way::out,
       object({{"type", just("error")},
               {"topic", or_null(topic())},
               {"code", text("As under REST.")},
               {"detail", text()},
               {"hint", text()}})},
      {"stateEvent", "`event: state`, with the sequence as `id`.", way::event, named("JobEvent")},
      {"snapshotEvent", "`event: snapshot`, with the sequence as `id`.", way::event,
       object({{"jobs", jobs()}})},
      {"gapEvent",
       "`event: gap`, without `id`: first of all, when events that were asked for are "
       "kept no more.",
       way::event, object({{"forgotten", whole("The last sequence that is kept no more.")}})},
      {"progressEvent", "`event: progress`, without `id`.", way::event, named("Job")},
  };
}

json reference(const std::string& to) {
  return {{"$ref", "#/" + to}};
}

/// The messages of a channel, by name.
json messages_of(std::initializer_list<way> ways) {
  auto result = json::object();
  for (auto wanted : ways)
    for (const auto& x : kinds())
      if (x.goes == wanted)
        result[std::string{x.name}] = reference("components/messages/" + std::string{x.name});
  return result;
}

json operation(std::string_view action, const std::string& channel, way goes,
               std::string_view summary) {
  auto result = json{{"action", action},
                     {"summary", summary},
                     {"channel", reference("channels/" + channel)},
                     {"messages", json::array()}};
  for (const auto& x : kinds())
    if (x.goes == goes)
      result["messages"].push_back(
          reference("channels/" + channel + "/messages/" + std::string{x.name}));
  return result;
}

json channels() {
  auto id = json{{"id", {{"description", "Of the job."}}}};
  return {{"socket",
           {{"address", "/mgmt/v1/ws"},
            {"description", "One JSON object in each text message. The server pings after 30 s of "
                            "silence and closes after 60. Close codes: 1001 the server stops, 1008 "
                            "broken rules, 1009 too large, 1013 too slow: come back with the last "
                            "sequence."},
            {"messages", messages_of({way::in, way::out})},
            {"bindings", {{"ws", {{"method", "GET"}, {"bindingVersion", "0.1.0"}}}}}}},
          {"events",
           {{"address", "/mgmt/v1/events"},
            {"description", "Server-sent events of all jobs, or with ?avatar_id= of one avatar. "
                            "Last-Event-ID resumes."},
            {"messages", messages_of({way::event})}}},
          {"jobEvents",
           {{"address", "/mgmt/v1/jobs/{id}/events"},
            {"description", "Server-sent events of one job; ends with it."},
            {"parameters", std::move(id)},
            {"messages", messages_of({way::event})}}}};
}

} // namespace

json async_document(std::string_view version) {
  auto result = json{
      {"asyncapi", "3.0.0"},
      {"info",
       {{"title", "musetalkd: what happens, as it happens"},
        {"version", version},
        {"description", "By WebSocket or server-sent events. Each state of a job comes exactly "
                        "once, also over reconnects with the last sequence."},
        {"license", {{"name", "MIT"}}}}},
      {"channels", channels()},
      {"operations",
       {{"ask", operation("receive", "socket", way::in, "What a client may say.")},
        {"tell", operation("send", "socket", way::out, "What the service says.")},
        {"stream", operation("send", "events", way::event, "What a stream carries.")},
        {"streamJob",
         operation("send", "jobEvents", way::event, "What a job's stream carries.")}}}};
  for (const auto& x : kinds())
    result["components"]["messages"][std::string{x.name}] = {{"name", x.name},
                                                             {"summary", x.summary},
                                                             {"contentType", "application/json"},
                                                             {"payload", x.payload}};
  auto known = shapes();
  for (const auto* name : {"Job", "JobEvent", "JobStatus"})
    result["components"]["schemas"][name] = known[name];
  return result;
}

} // namespace musetalk::http::api
