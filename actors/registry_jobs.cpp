#include "actors/registry_steps.hpp"

#include <caf/send.hpp>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>
#include <utility>

namespace musetalk::actors::registry_steps {

namespace {

using pipeline::job;
using pipeline::job_state;
using active_job = registry_state::active_job;

void retry_later(registry_pointer self) {
  auto& state = self->state;
  if (state.retry_sent)
    return;
  state.retry_sent = true;
  self->delayed_send(self, state.config.catalog_retry, atom::next_v);
}

} // namespace

// A catalog that stays out of order ends the service, because what clients were told would no
// longer be true after a restart.
bool write_surely(registry_pointer self, const std::function<void()>& f) {
  auto& state = self->state;
  if (self->guarded(f)) {
    state.catalog_failures = 0;
    return true;
  }
  if (++state.catalog_failures < state.config.max_catalog_failures) {
    retry_later(self);
    return false;
  }
  state.parts.fatal("the catalog refused " + std::to_string(state.catalog_failures) +
                    " writes in a row");
  self->quit(make_error(errc::catalog_failed, "The catalog is out of order."));
  return false;
}

namespace {

// -- the end of a job -----------------------------------------------------------------

job ended_record(const registry_state& state, const active_job& x) {
  auto record = x.record;
  const auto& outcome = *x.outcome;
  record.state = outcome.state;
  record.finished_us = state.parts.now_us();
  record.timings_ms = whole_timings(record, outcome.timings_ms);
  record.failure = outcome.failure;
  if (record.request.kind == pipeline::job_kind::create)
    record.version = outcome.version.version;
  // What an archive brings is only known now.
  if (record.request.kind == pipeline::job_kind::import_archive && !outcome.version.weights.empty())
    record.weights = outcome.version.weights;
  return record;
}

std::string reason_of(const job& x) {
  switch (x.state) {
  case job_state::completed:
    return x.request.kind == pipeline::job_kind::speak ? "spoke with " + x.version
                                                       : "published " + x.version;
  case job_state::cancelled:
    return "let go";
  default:
    return std::string{to_string(x.failure.code)} + ": " + x.failure.detail;
  }
}

void count(registry_state& state, const active_job& x, const job& record) {
  switch (record.state) {
  case job_state::completed:
    ++state.counts.completed;
    if (!x.linking)
      learn(state, record);
    break;
  case job_state::cancelled:
    ++state.counts.cancelled;
    break;
  default:
    ++state.counts.failed;
  }
}

} // namespace

bool settle(registry_pointer self, const std::string& job_id) {
  auto& state = self->state;
  auto& x = state.active.at(job_id);
  auto record = ended_record(state, x);
  auto event = pipeline::job_event{};
  auto written = write_surely(self, [&] {
    auto& catalog = *state.parts.catalog;
    if (record.state != job_state::completed)
      event = catalog.move_job(record, "runner", reason_of(record));
    else if (record.request.kind == pipeline::job_kind::speak)
      event = catalog.complete_speech(record, x.outcome->video, "runner");
    else
      event = catalog.complete_job(record, x.outcome->version, "runner");
  });
  if (!written)
    return false;
  spdlog::info("job {} is {}: {}", job_id, to_string(record.state), reason_of(record));
  count(state, x, record);
  state.active.erase(job_id);
  if (record.state == job_state::completed)
    look_for_version_again(state, record);
  tell(self, event);
  after_end(self, record);
  self->send(self, atom::next_v);
  return true;
}

namespace {

// The runner died without an outcome: what it left on disk goes first.
void bury(registry_pointer self, const std::string& job_id) {
  auto& state = self->state;
  auto settle_dead = [=] {
    auto found = self->state.active.find(job_id);
    if (found == self->state.active.end())
      return;
    auto outcome = job_outcome{};
    outcome.job_id = job_id;
    outcome.state = found->second.record.state == job_state::cancelling ? job_state::cancelled
                                                                        : job_state::failed;
    if (outcome.state == job_state::failed)
      outcome.failure = {errc::worker_died, "The job's runner ended before the job did."};
    found->second.outcome = std::move(outcome);
    settle(self, job_id);
  };
  auto storage = state.parts.workers->get().storage;
  if (!storage) {
    settle_dead();
    return;
  }
  self->request(storage, state.config.step_timeout, atom::discard_v, actors::job_id{job_id})
      .then([=](actors::job_id&) { settle_dead(); }, [=](caf::error&) { settle_dead(); });
}

// -- the start of a job -----------------------------------------------------------------

size_t free_place(const registry_state& state) {
  auto taken = std::set<size_t>{};
  for (const auto& [id, x] : state.active)
    if (!x.linking)
      taken.insert(x.place);
  auto place = size_t{0};
  while (taken.contains(place))
    ++place;
  return place;
}

// False when nothing more is to be tried now.
bool start_one(registry_pointer self) {
  auto& state = self->state;
  auto first = state.queue.next([&](const job& x) {
    return !avatar_is_busy(state, x.request.avatar_id) && !state.linkable.contains(x.job_id) &&
           !is_under_way(state, x);
  });
  if (!first)
    return false;
  auto record = *first;
  record.state = job_state::running;
  record.started_us = state.parts.now_us();
  record.engine = state.config.engine;
  record.weights = state.config.weights;
  record.options_key = pipeline::options_key(state.config.work, record.request.apply_blur);
  record.timings_ms = whole_timings(record, {});
  auto event = pipeline::job_event{};
  auto written = write_surely(self, [&] {
    if (record.request.kind == pipeline::job_kind::speak)
      record.version = speaking_version(state, record.request);
    event = state.parts.catalog->move_job(record, "registry",
                                          "attempt " + std::to_string(record.attempt));
  });
  if (!written)
    return false;
  state.queue.take(record.job_id);
  auto place = free_place(state);
  auto& x = state.active[record.job_id];
  x.record = record;
  x.place = place;
  x.eta.begin(self->clock().now(), predicted_s(state, record));
  x.progress.job_id = record.job_id;
  spdlog::info("job {} runs, attempt {}", record.job_id, record.attempt);
  tell(self, event);
  tell_queue(self);
  auto runner = self->guarded([&] {
    return state.parts.start_runner(caf::actor_cast<registry_actor>(self), record, place);
  });
  if (runner) {
    x.runner = *runner;
    self->monitor(x.runner);
  } else {
    bury(self, record.job_id);
  }
  return true;
}

void settle_refused(registry_pointer self) {
  auto ids = std::vector<std::string>{};
  for (const auto& [id, x] : self->state.active)
    if (x.outcome)
      ids.push_back(id);
  for (const auto& id : ids)
    if (!settle(self, id))
      return;
}

void quit_when_alone(registry_pointer self) {
  auto& state = self->state;
  auto alive = [](const auto& x) {
    return x.second.runner && !x.second.gone;
  };
  if (state.exit_reason && std::none_of(state.active.begin(), state.active.end(), alive))
    self->quit(*state.exit_reason);
}

} // namespace

void progress(registry_pointer self, const pipeline::job_progress& x) {
  auto found = self->state.active.find(x.job_id);
  if (found == self->state.active.end())
    return;
  auto& job = found->second;
  auto fraction = std::max(job.progress.fraction, std::min(x.fraction, 1.));
  job.progress = x;
  job.progress.fraction = fraction;
  job.eta.moved(fraction, self->clock().now());
  tell_progress(self, job.record);
}

void outcome(registry_pointer self, const job_outcome& x) {
  auto found = self->state.active.find(x.job_id);
  if (found == self->state.active.end() || found->second.outcome)
    return;
  found->second.outcome = x;
  settle(self, x.job_id);
}

void runner_down(registry_pointer self, const caf::actor_addr& source) {
  auto& state = self->state;
  follower_down(self, source);
  auto found = std::find_if(state.active.begin(), state.active.end(), [&](const auto& x) {
    return x.second.runner && x.second.runner.address() == source;
  });
  if (found != state.active.end()) {
    found->second.gone = true;
    // During the end of the service a job stays as it is.
    if (!found->second.outcome && !state.exit_reason)
      bury(self, found->first);
  }
  quit_when_alone(self);
}

void next(registry_pointer self) {
  auto& state = self->state;
  state.retry_sent = false;
  release_kept(self);
  for (const auto& upload : std::exchange(state.unused_uploads, {}))
    release_upload(self, upload);
  settle_refused(self);
  while (!state.stopping && link_one(self)) {
    // nop
  }
  while (!state.stopping && state.config.missing_models.empty() &&
         places_taken(state) < state.config.running_jobs && start_one(self)) {
    // nop
  }
}

void begin_exit(registry_pointer self, caf::error reason) {
  auto& state = self->state;
  state.stopping = true;
  state.exit_reason = reason;
  auto stopping = make_error(errc::stopping, "The service is stopping.");
  for (auto& x : std::exchange(state.waiters, {}))
    x.reply.deliver(stopping);
  for (auto& [id, promises] : std::exchange(state.removals, {}))
    for (auto& x : promises)
      x.deliver(stopping);
  for (const auto& [id, x] : state.active)
    if (x.runner && !x.gone)
      self->send_exit(x.runner, reason);
  quit_when_alone(self);
}

} // namespace musetalk::actors::registry_steps
