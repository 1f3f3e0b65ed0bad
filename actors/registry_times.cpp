#include "actors/registry_steps.hpp"

#include <algorithm>

// How long jobs take: what they took, and what that says about those that wait.

namespace musetalk::actors::registry_steps {

namespace {

using pipeline::job;
using pipeline::job_state;

constexpr uint32_t most_remembered = 64;
constexpr auto link_name = "link";

bool is_like_ours(const registry_state& state, const job& x) {
  return x.state == job_state::completed && x.engine == state.config.engine &&
         x.weights == state.config.weights && !x.timings_ms.contains(link_name) &&
         x.started_us > 0 && x.finished_us > x.started_us;
}

planned_work planned(const job& x, double seconds, bool linked) {
  return {x.request.avatar_id, x.request.force ? std::string{} : work_of(x), seconds, linked};
}

} // namespace

work_size size_of(const job& x) {
  return {x.request.video_frames, x.request.video_pixels, x.request.apply_blur};
}

void remember_past(registry_state& state) {
  auto past =
      state.parts.catalog->list_jobs({{job_state::completed}, "", ""}, {most_remembered, ""});
  std::reverse(past.jobs.begin(), past.jobs.end());
  for (const auto& x : past.jobs)
    if (is_like_ours(state, x.record))
      learn(state, x.record);
}

void learn(registry_state& state, const job& x) {
  state.past[x.request.kind].add(size_of(x),
                                 static_cast<double>(x.finished_us - x.started_us) / 1e6);
}

double predicted_s(const registry_state& state, const job& x) {
  auto past = state.past.find(x.request.kind);
  return past == state.past.end() ? -1. : past->second.predict_s(size_of(x));
}

queue_plan plan_queue(const registry_state& state, caf::actor_clock::time_point now) {
  auto running = std::vector<planned_work>{};
  for (const auto& [id, x] : state.active)
    running.push_back(planned(x.record, x.eta.rest_s(now), x.linking));
  auto waiting = std::vector<planned_work>{};
  for (const auto& x : state.queue.jobs())
    waiting.push_back(planned(*x, predicted_s(state, *x), state.linkable.contains(x->job_id)));
  auto ends = plan_ends(running, state.config.running_jobs, waiting);
  auto result = queue_plan{};
  for (auto i = size_t{0}; i < ends.size(); ++i)
    result[state.queue.jobs()[i]->job_id] = ends[i];
  return result;
}

std::map<std::string, int64_t> whole_timings(const job& x, std::map<std::string, int64_t> stages) {
  auto ms_since_queued = [&](pipeline::timestamp_us at) {
    return std::max<int64_t>((at - x.queued_us) / 1000, 0);
  };
  // Of a job that an older program queued that time is not known.
  if (x.queued_us == 0)
    return stages;
  auto until = x.finished_us > 0 ? x.finished_us : x.started_us;
  auto waited = ms_since_queued(x.started_us > 0 ? x.started_us : until);
  stages["queued"] = waited;
  if (x.finished_us == 0 || x.started_us == 0)
    return stages;
  auto told = int64_t{0};
  for (const auto& [name, ms] : stages)
    if (name.find('.') == std::string::npos)
      told += ms;
  stages["other"] = std::max<int64_t>(ms_since_queued(until) - told, 0);
  return stages;
}

} // namespace musetalk::actors::registry_steps
