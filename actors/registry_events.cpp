#include "actors/registry_steps.hpp"

#include <algorithm>
#include <optional>

// What followers of jobs are told. Each thing is sent once to each follower, of which there are
// few: a follower tells the many.

namespace musetalk::actors::registry_steps {

namespace {

// Beyond it nobody looks at a position.
constexpr size_t told_positions = 100;

} // namespace

void follow(registry_pointer self, const caf::strong_actor_ptr& who) {
  self->monitor(who);
  self->state.followers.push_back(caf::actor_cast<job_follower_actor>(who));
}

void follower_down(registry_pointer self, const caf::actor_addr& source) {
  std::erase_if(self->state.followers, [&](const auto& x) { return x.address() == source; });
}

void tell(registry_pointer self, const pipeline::job_event& x) {
  for (const auto& follower : self->state.followers)
    self->send(follower, atom::event_v, x);
  if (!is_final(x.state) && !self->state.followers.empty())
    tell_progress(self, find_job(self->state, x.job_id));
}

void tell_progress(registry_pointer self, const pipeline::job& record, const queue_plan* plan) {
  const auto& followers = self->state.followers;
  if (followers.empty())
    return;
  auto view = view_of(self, record, plan);
  for (const auto& follower : followers)
    self->send(follower, atom::progress_v, view);
}

void tell_queue(registry_pointer self) {
  if (self->state.followers.empty())
    return;
  auto plan = plan_queue(self->state, self->clock().now());
  for (const auto& x : self->state.queue.first(told_positions))
    tell_progress(self, x, &plan);
}

pipeline::job_history history(registry_pointer self, const std::string& job_id) {
  auto record = find_job(self->state, job_id);
  return {view_of(self, record), self->state.parts.catalog->job_events(job_id)};
}

pipeline::event_page events(registry_pointer self, const pipeline::event_query& query) {
  auto& state = self->state;
  auto result = pipeline::event_page{};
  auto asked = std::optional<pipeline::job>{};
  if (!query.job_id.empty())
    asked = find_job(state, query.job_id);
  result.last = state.parts.catalog->last_event();
  // What lies behind the end was never given out by this catalog: the asker begins anew.
  if (query.after >= 0 && query.after < result.last)
    result.events = state.parts.catalog->events_after(query);
  // Who comes back after long is told that there was more.
  if (query.after >= 0 && query.after < result.last) {
    auto first = state.parts.catalog->first_event();
    result.forgotten = query.after + 1 < first ? first - 1 : 0;
  }
  result.more = !result.events.empty() && result.events.size() >= query.limit;
  if (result.more) {
    result.last = result.events.back().sequence;
    return result;
  }
  if (asked) {
    result.jobs.push_back(view_of(self, *asked));
    return result;
  }
  auto plan = plan_queue(state, self->clock().now());
  auto add = [&](const pipeline::job& x) {
    if (query.avatar_id.empty() || x.request.avatar_id == query.avatar_id)
      result.jobs.push_back(view_of(self, x, &plan));
  };
  for (const auto& [id, x] : state.active)
    add(x.record);
  for (const auto& x : state.queue.jobs())
    add(*x);
  return result;
}

} // namespace musetalk::actors::registry_steps
