#include "actors/registry_steps.hpp"
#include "pipeline/avatar_tag.hpp"
#include "pipeline/sentence.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace musetalk::actors::registry_steps {

using pipeline::job;
using pipeline::job_request;
using pipeline::job_state;
using pipeline::job_view;

void require_place(const registry_state& state, const job_request& request) {
  const auto& config = state.config;
  const auto& missing =
      request.kind == pipeline::job_kind::speak ? config.missing_to_speak : config.missing_models;
  if (!missing.empty())
    throw error(errc::models_missing,
                "Weight files are missing: " + pipeline::comma_list(missing) + ".");
  require_speaker(state, request);
  if (state.removals.contains(request.avatar_id))
    throw error(errc::avatar_busy, "The avatar is being removed.");
  if (state.queue.size() >= state.config.queue_limit)
    throw error(errc::queue_full, "The queue holds " + std::to_string(state.queue.size()) +
                                      " jobs; its limit is " +
                                      std::to_string(state.config.queue_limit) + ".");
}

std::string earlier_target(registry_pointer self, const pipeline::request_key& key) {
  if (key.key.empty())
    return {};
  auto& state = self->state;
  if (state.keys_at_work.contains(key.key))
    throw error(errc::key_in_use, "A request with this Idempotency-Key is still at work.");
  auto since = state.parts.now_us() - pipeline::request_key_age_us;
  auto known = state.parts.catalog->find_key(key.key, since);
  if (!known)
    return {};
  if (known->fingerprint != key.fingerprint)
    throw error(errc::key_reused, "This Idempotency-Key came with another request before.");
  return known->target;
}

pipeline::request_key stamped(registry_pointer self, pipeline::request_key key) {
  key.at_us = self->state.parts.now_us();
  return key;
}

job_view replayed(registry_pointer self, const std::string& job_id) {
  auto result = view_of(self, find_job(self->state, job_id));
  result.replayed = true;
  return result;
}

job find_job(registry_state& state, const std::string& job_id) {
  if (auto found = state.active.find(job_id); found != state.active.end())
    return found->second.record;
  if (auto queued = state.queue.find(job_id))
    return *queued;
  if (auto known = state.parts.catalog->find_job(job_id))
    return *known;
  throw error(errc::job_not_found, "There is no job of that id.");
}

namespace {

void cancel_queued(registry_pointer self, const std::string& job_id, const std::string& reason,
                   const pipeline::request_key& key = {}) {
  auto& state = self->state;
  auto record = *state.queue.find(job_id);
  record.state = job_state::cancelled;
  record.finished_us = state.parts.now_us();
  record.timings_ms = whole_timings(record, {});
  auto event = state.parts.catalog->move_job(record, "client", reason, stamped(self, key));
  state.queue.take(job_id);
  state.linkable.erase(job_id);
  ++state.counts.cancelled;
  spdlog::info("job {} is cancelled: {}", job_id, reason);
  tell(self, event);
  tell_queue(self);
  after_end(self, record);
}

void cancel_active(registry_pointer self, registry_state::active_job& x, const std::string& reason,
                   const pipeline::request_key& key = {}) {
  if (x.record.state != job_state::running || x.outcome)
    return;
  auto record = x.record;
  record.state = job_state::cancelling;
  auto event = self->state.parts.catalog->move_job(record, "client", reason, stamped(self, key));
  x.record = record;
  tell(self, event);
  spdlog::info("job {} is being cancelled: {}", record.job_id, reason);
  // What is being linked is done in a moment.
  if (x.runner)
    self->send(x.runner, atom::cancel_v);
}

// Askers whose own time-out has long passed would fill the places of others.
void forget_late_waiters(registry_pointer self) {
  auto now = self->clock().now();
  std::erase_if(self->state.waiters, [&](auto& x) {
    if (x.until > now)
      return false;
    x.reply.deliver(make_error(errc::timeout, "The job has not ended yet."));
    return true;
  });
}

size_t waiting(const registry_state& state) {
  auto result = state.waiters.size();
  for (const auto& [id, promises] : state.removals)
    result += promises.size();
  return result;
}

void require_waiting_place(registry_pointer self) {
  forget_late_waiters(self);
  const auto& config = self->state.config;
  if (waiting(self->state) >= config.max_waiters)
    throw error(errc::queue_full, std::to_string(config.max_waiters) +
                                      " clients wait for jobs already; that is the limit.");
}

// The work is done or under way: nothing new happens, but the key is kept.
job_view same_again(registry_pointer self, const job& same, const pipeline::request_key& key) {
  if (!key.key.empty()) {
    auto kept = stamped(self, key);
    kept.target = same.job_id;
    self->state.parts.catalog->keep_key(kept);
  }
  auto result = view_of(self, same);
  result.reused = true;
  return result;
}

} // namespace

job_view submit(registry_pointer self, const job_request& request) {
  auto& state = self->state;
  if (state.stopping)
    throw error(errc::stopping, "The service is stopping.");
  if (auto earlier = earlier_target(self, request.key); !earlier.empty())
    return replayed(self, earlier);
  auto record = job_of(state, request);
  if (auto same = find_same(state, record); same && !state.removals.contains(request.avatar_id))
    return same_again(self, *same, request.key);
  require_place(state, request);
  record.job_id = state.parts.new_job_id();
  record.request.key = stamped(self, request.key);
  // Strictly growing, so that the order of creation is the order of the queue after a restart too.
  record.created_us = std::max(state.parts.now_us(), state.last_created_us + 1);
  record.queued_us = record.created_us;
  auto event = state.parts.catalog->add_job(record, "client");
  record.request.key = {};
  state.last_created_us = record.created_us;
  state.uses[request.avatar_id] = record.created_us;
  state.queue.push(record);
  look_for_version(state, record);
  tell(self, event);
  spdlog::info("job {} is queued for avatar {}", record.job_id, request.avatar_id);
  self->send(self, atom::next_v);
  return view_of(self, record);
}

job_view examine(registry_pointer self, const job_request& request) {
  auto& state = self->state;
  auto record = job_of(state, request);
  if (auto same = find_same(state, record)) {
    auto result = view_of(self, *same);
    result.reused = true;
    return result;
  }
  require_place(state, request);
  record.created_us = std::max(state.parts.now_us(), state.last_created_us + 1);
  record.queued_us = record.created_us;
  // As it would be: it comes into the queue, is looked at, and goes again.
  record.job_id = "?";
  state.queue.push(record);
  look_for_version(state, record);
  auto result = view_of(self, record);
  result.reused = state.linkable.erase(record.job_id) > 0;
  state.queue.take(record.job_id);
  result.record.job_id.clear();
  return result;
}

job_view look(registry_pointer self, const std::string& job_id) {
  return view_of(self, find_job(self->state, job_id));
}

pipeline::avatar look_avatar(registry_pointer self, const std::string& avatar_id) {
  if (auto found = self->state.parts.catalog->find_avatar(avatar_id))
    return *found;
  throw error(errc::avatar_not_found, "There is no avatar of that id.");
}

pipeline::job_page list_jobs(registry_pointer self, const pipeline::job_filter& filter,
                             const pipeline::page_request& page) {
  auto result = self->state.parts.catalog->list_jobs(filter, page);
  auto plan = plan_queue(self->state, self->clock().now());
  for (auto& x : result.jobs)
    x = view_of(self, x.record, &plan);
  return result;
}

job_view cancel(registry_pointer self, const std::string& job_id,
                const pipeline::request_key& key) {
  auto& state = self->state;
  if (auto earlier = earlier_target(self, key); !earlier.empty())
    return replayed(self, earlier);
  auto record = find_job(state, job_id);
  if (is_final(record.state))
    throw error(errc::job_finished,
                "The job has already ended: " + std::string{to_string(record.state)} + ".");
  if (auto found = state.active.find(job_id); found != state.active.end())
    cancel_active(self, found->second, "asked by a client", key);
  else
    cancel_queued(self, job_id, "asked by a client", key);
  return look(self, job_id);
}

job_view look_for_end(registry_pointer self, const std::string& job_id) {
  auto result = look(self, job_id);
  if (!is_final(result.record.state))
    require_waiting_place(self);
  return result;
}

caf::result<job_view> wait_for_end(registry_pointer self, const std::string& job_id) {
  auto reply = self->make_response_promise<job_view>();
  self->state.waiters.push_back({job_id, self->clock().now() + self->state.config.max_wait, reply});
  return reply;
}

void check_removal(registry_pointer self, const std::string& avatar_id, bool force,
                   const std::string& if_match) {
  auto& state = self->state;
  auto busy = has_jobs(state, avatar_id);
  auto known = state.parts.catalog->find_avatar(avatar_id);
  if (!busy && !known)
    throw error(errc::avatar_not_found, "There is no avatar of that id.");
  if (known)
    pipeline::require_match(*known, if_match);
  if (busy && !force && !state.removals.contains(avatar_id))
    throw error(errc::avatar_busy, "A job of the avatar has not ended. Remove it by force to "
                                   "cancel the job.");
  require_waiting_place(self);
  for (const auto& job_id : state.queue.of_avatar(avatar_id))
    cancel_queued(self, job_id, "its avatar is removed");
  for (auto& [id, x] : state.active)
    if (x.record.request.avatar_id == avatar_id)
      cancel_active(self, x, "its avatar is removed");
}

caf::result<avatar_id> remove(registry_pointer self, const std::string& avatar_id) {
  auto& state = self->state;
  auto reply = self->make_response_promise<actors::avatar_id>();
  auto first = !state.removals.contains(avatar_id);
  state.removals[avatar_id].push_back(reply);
  // Otherwise the last of its jobs goes on with it.
  if (first && !has_jobs(state, avatar_id))
    remove_files(self, avatar_id);
  return reply;
}

queue_status status(registry_pointer self) {
  auto& state = self->state;
  auto result = state.counts;
  result.queued = static_cast<uint32_t>(state.queue.size());
  result.running = static_cast<uint32_t>(state.active.size());
  result.free_s = until_free(state, self->clock().now());
  return result;
}

} // namespace musetalk::actors::registry_steps
