#include "http/actor_json.hpp"

#include "pipeline/time.hpp"

#include <algorithm>
#include <chrono>
#include <string>

namespace musetalk::http {

namespace {

json text_or_null(const std::string& x) {
  return x.empty() ? json{} : json(x);
}

json time_of(std::chrono::system_clock::time_point x) {
  return pipeline::to_rfc3339(
      std::chrono::duration_cast<std::chrono::microseconds>(x.time_since_epoch()).count());
}

const char* state_of(const actors::observed_actor& x) {
  using actors::watch_kind;
  if (x.over[static_cast<size_t>(watch_kind::handler)] ||
      x.over[static_cast<size_t>(watch_kind::waiting)])
    return "stuck";
  if (!x.reading.started)
    return "starting";
  return x.reading.current_us >= 0 ? "working" : "idle";
}

json over_json(const actors::observed_actor& x) {
  auto result = json::array();
  for (size_t i = 0; i < actors::watch_kinds; ++i)
    if (x.over[i])
      result.push_back(to_string(static_cast<actors::watch_kind>(i)));
  return result;
}

json error_json(const actors::meter_reading& x) {
  if (x.last_error.empty())
    return {};
  return {{"text", x.last_error}, {"ms_ago", x.last_error_us / 1000}};
}

json ended_json(const actors::ended_actor& x) {
  return {{"id", x.last.actor_id},
          {"name", x.last.name},
          {"kind", x.last.kind},
          {"about", text_or_null(x.last.about)},
          {"parent", x.last.parent},
          {"handled", x.last.handled},
          {"reason", text_or_null(x.reason)},
          {"last_error", error_json(x.last)},
          {"at", time_of(x.at)}};
}

json types_json(const actors::meter& x) {
  auto types = x.read_types();
  std::sort(types.begin(), types.end(), [](const auto& a, const auto& b) {
    return a.mean_ns * static_cast<int64_t>(a.count) > b.mean_ns * static_cast<int64_t>(b.count);
  });
  auto us = [](int64_t ns) {
    return rounded(static_cast<double>(ns) / 1000., 10);
  };
  auto result = json::array();
  for (const auto& t : types)
    result.push_back({{"type", t.type},
                      {"count", t.count},
                      {"mean_us", us(t.mean_ns)},
                      {"p50_us", us(t.p50_ns)},
                      {"p99_us", us(t.p99_ns)},
                      {"max_us", us(t.max_ns)}});
  return result;
}

json history_json(const actors::observed_series& x) {
  auto depth = json::array();
  auto per_s = json::array();
  auto busy = json::array();
  auto oldest = json::array();
  for (const auto& s : x.samples) {
    depth.push_back(s.depth);
    per_s.push_back(s.handled);
    busy.push_back(s.busy_permille / 1000.);
    oldest.push_back(s.oldest_cs * 10);
  }
  return {{"begin", time_of(x.begin)}, {"step_s", 1},
          {"depth", std::move(depth)}, {"messages_per_s", std::move(per_s)},
          {"busy", std::move(busy)},   {"oldest_ms", std::move(oldest)}};
}

json counts_json(const actors::bucket_counts& x) {
  return {{"bounds", x.bounds()}, {"counts", x.counts()}, {"total", x.total()}, {"sum", x.sum()}};
}

} // namespace

json to_json(const actors::observed_actor& x) {
  const auto& r = x.reading;
  auto working = r.current_us >= 0;
  return {
      {"id", r.actor_id},
      {"name", r.name},
      {"kind", r.kind},
      {"about", text_or_null(r.about)},
      {"parent", r.parent},
      {"thread", r.detached ? "own" : "pool"},
      {"state", state_of(x)},
      {"depth", r.depth},
      {"max_depth", r.max_depth},
      {"oldest_ms", r.oldest_us / 1000},
      {"messages_per_s", rounded(x.messages_per_s, 10)},
      {"busy", rounded(x.busy, 1000)},
      {"handled", r.handled},
      {"errors", r.errors},
      {"restarts", r.restarts},
      {"current", working ? json{{"type", r.current_type}, {"ms", r.current_us / 1000}} : json{}},
      {"over", over_json(x)},
      {"last_error", error_json(r)}};
}

json to_json(const actors::watch_event& x) {
  return {{"at", time_of(x.ended.value_or(x.began))},
          {"kind", to_string(x.kind)},
          {"actor_id", x.actor_id},
          {"actor", x.actor},
          {"about", text_or_null(x.about)},
          {"message", text_or_null(x.message)},
          {"value", rounded(x.value, 10)},
          {"limit", x.limit},
          {"began_at", time_of(x.began)},
          {"ended_at", x.ended ? time_of(*x.ended) : json{}}};
}

json actors_json(const actors::observer& x) {
  auto living = json::array();
  for (const auto& actor : x.actors())
    living.push_back(to_json(actor));
  auto ended = json::array();
  for (const auto& actor : actors::ended_actors())
    ended.push_back(ended_json(actor));
  auto events = json::array();
  for (const auto& event : x.events())
    events.push_back(to_json(event));
  const auto& limits = x.limits();
  return {{"at", time_of(std::chrono::system_clock::now())},
          {"limits",
           {{"mailbox", limits.mailbox},
            {"waiting_ms", limits.waiting.count()},
            {"handler_ms", limits.handler.count()}}},
          {"actors", std::move(living)},
          {"ended", std::move(ended)},
          {"events", std::move(events)}};
}

json actor_json(const actors::observer& x, uint64_t id, size_t seconds) {
  auto found = x.actor(id);
  auto meter = actors::find_meter(id);
  if (!found || !meter)
    return {};
  auto result = to_json(*found);
  result["types"] = types_json(*meter);
  result["history"] = history_json(x.series(id, seconds));
  return result;
}

json device_json(const actors::figures& x) {
  auto executions = json::array();
  for (const auto& [kind, counts] : x.executions)
    executions.push_back({{"kind", kind},
                          {"count", counts.inputs.total()},
                          {"failed", counts.failed},
                          {"batch", counts_json(counts.inputs)},
                          {"seconds", counts_json(counts.seconds)}});
  return {{"waiting", x.waiting}, {"executions", std::move(executions)}};
}

json settings_json(const std::vector<config::resolved_setting>& x) {
  auto rows = json::array();
  for (const auto& setting : x)
    rows.push_back({{"key", setting.row->key},
                    {"section", setting.row->section},
                    {"value", setting.text},
                    {"origin", to_string(setting.from)},
                    {"where", text_or_null(setting.where)},
                    {"unit", setting.row->unit},
                    {"meaning", setting.row->meaning},
                    {"default", setting.row->fallback},
                    {"rule", setting.row->rule}});
  return {{"settings", std::move(rows)}};
}

} // namespace musetalk::http
