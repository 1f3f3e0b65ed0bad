#include "actors/registry_steps.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

// Work that is done once: equal bytes with equal options give the job or the version that exists,
// and another avatar gets the files of that version under its own name.

namespace musetalk::actors::registry_steps {

namespace {

using pipeline::job;
using pipeline::job_state;
using active_job = registry_state::active_job;

bool same_version(const job& x, const job& y) {
  return !work_of(x).empty() && work_of(x) == work_of(y);
}

// One that is answered in place of another is also of the same avatar and tutor.
bool same_job(const job& x, const job& y) {
  return x.request.kind == y.request.kind && x.request.avatar_id == y.request.avatar_id &&
         x.request.tutor_id == y.request.tutor_id && same_version(x, y);
}

bool same_speech(const job& x, const job& y) {
  return x.request.kind == y.request.kind && x.request.avatar_id == y.request.avatar_id &&
         x.request.tutor_id == y.request.tutor_id && x.request.speech == y.request.speech &&
         !x.request.video_sha256.empty() && x.request.video_sha256 == y.request.video_sha256;
}

// What is spoken also depends on the avatar's version of the moment.
std::optional<job> find_same_speech(registry_state& state, const job& wanted) {
  auto version = speaking_version(state, wanted.request);
  for (const auto& [id, x] : state.active)
    if (x.record.state == job_state::running && same_speech(x.record, wanted) &&
        x.record.version == version)
      return x.record;
  if (auto queued = state.queue.find_if([&](const job& x) { return same_speech(x, wanted); }))
    return *queued;
  return find_spoken(state, wanted.request);
}

// What cannot be looked up is prepared: that is right in any case.
std::optional<pipeline::version_ref> version_of(const registry_state& state, const job& x) {
  try {
    return state.parts.catalog->find_version(x.request.video_sha256, x.options_key);
  } catch (const error& why) {
    spdlog::warn("job {}: no version was looked for: {}", x.job_id, why.what());
    return std::nullopt;
  }
}

active_job& begin(registry_pointer self, const job& record) {
  auto& state = self->state;
  state.queue.take(record.job_id);
  state.linkable.erase(record.job_id);
  auto& x = state.active[record.job_id];
  x.record = record;
  x.linking = true;
  x.progress.job_id = record.job_id;
  x.progress.stage = pipeline::job_stage::link;
  x.eta.begin(self->clock().now(), 0.);
  return x;
}

// The version went meanwhile: the job is prepared as any other.
void prepare_instead(registry_pointer self, const std::string& job_id) {
  auto& state = self->state;
  auto& x = state.active.at(job_id);
  auto record = x.record;
  record.state = job_state::queued;
  record.started_us = 0;
  record.timings_ms.clear();
  auto event = pipeline::job_event{};
  auto written = write_surely(self, [&] {
    event = state.parts.catalog->move_job(record, "registry", "the version to link is gone");
  });
  if (!written) {
    // Cannot be told apart from a failure any more.
    auto outcome = job_outcome{};
    outcome.job_id = job_id;
    outcome.failure = {errc::version_not_found, "The version that the job asked for is gone."};
    x.outcome = outcome;
    return;
  }
  state.active.erase(job_id);
  state.queue.push(record);
  tell(self, event);
  self->send(self, atom::next_v);
}

// Its stages: one.
std::map<std::string, int64_t> link_timings(const registry_state& state, const job& x) {
  return {{std::string{to_string(pipeline::job_stage::link)},
           std::max<int64_t>((state.parts.now_us() - x.started_us) / 1000, 0)}};
}

void linked(registry_pointer self, const std::string& job_id,
            const pipeline::avatar_version& version) {
  auto found = self->state.active.find(job_id);
  if (found == self->state.active.end())
    return;
  auto& outcome = found->second.outcome.emplace();
  outcome.job_id = job_id;
  outcome.state = job_state::completed;
  outcome.version = version;
  outcome.timings_ms = link_timings(self->state, found->second.record);
  settle(self, job_id);
}

void not_linked(registry_pointer self, const std::string& job_id, const caf::error& why) {
  auto found = self->state.active.find(job_id);
  if (found == self->state.active.end())
    return;
  auto code = code_of(why);
  auto gone = code == errc::version_not_found || code == errc::avatar_damaged;
  if (gone && found->second.record.state == job_state::running) {
    prepare_instead(self, job_id);
    return;
  }
  auto& outcome = found->second.outcome.emplace();
  outcome.job_id = job_id;
  outcome.state = found->second.record.state == job_state::cancelling ? job_state::cancelled
                                                                      : job_state::failed;
  outcome.failure = {code, detail_of(why)};
  outcome.timings_ms = link_timings(self->state, found->second.record);
  settle(self, job_id);
}

} // namespace

std::string work_of(const job& x) {
  if (x.request.kind != pipeline::job_kind::create || x.request.video_sha256.empty() ||
      x.options_key.empty())
    return {};
  return x.request.video_sha256 + x.options_key;
}

job job_of(const registry_state& state, const pipeline::job_request& request) {
  auto result = job{};
  result.request = request;
  result.engine = state.config.engine;
  result.weights = state.config.weights;
  result.options_key = pipeline::options_key(state.config.work, request.apply_blur);
  return result;
}

std::optional<job> find_same(registry_state& state, const job& wanted) {
  if (wanted.request.force)
    return std::nullopt;
  if (wanted.request.kind == pipeline::job_kind::speak)
    return find_same_speech(state, wanted);
  auto same = [&](const job& x) {
    return same_job(x, wanted);
  };
  for (const auto& [id, x] : state.active)
    if (x.record.state == job_state::running && same(x.record))
      return x.record;
  if (auto queued = state.queue.find_if(same))
    return *queued;
  auto avatar = state.parts.catalog->find_avatar(wanted.request.avatar_id);
  if (!avatar || avatar->current_version.empty())
    return std::nullopt;
  for (const auto& x : avatar->versions)
    if (x.version == avatar->current_version)
      if (auto made = state.parts.catalog->find_job(x.job_id); made && same(*made))
        return made;
  return std::nullopt;
}

bool is_under_way(const registry_state& state, const job& x) {
  return !x.request.force &&
         std::any_of(state.active.begin(), state.active.end(), [&](const auto& y) {
           return y.second.record.state == job_state::running && same_version(y.second.record, x);
         });
}

void look_for_version(registry_state& state, const job& x) {
  if (!x.request.force && !work_of(x).empty() && version_of(state, x))
    state.linkable.insert(x.job_id);
}

void look_for_version_again(registry_state& state, const job& made) {
  for (const auto& x : state.queue.jobs())
    if (!x->request.force && same_version(*x, made))
      state.linkable.insert(x->job_id);
}

bool link_one(registry_pointer self) {
  auto& state = self->state;
  auto first = state.queue.next([&](const job& x) {
    return state.linkable.contains(x.job_id) && !avatar_is_busy(state, x.request.avatar_id);
  });
  if (!first)
    return false;
  auto record = *first;
  auto from = version_of(state, record);
  auto storage = state.parts.workers->get().storage;
  if (!from || !storage) {
    state.linkable.erase(record.job_id);
    return true;
  }
  record.state = job_state::running;
  record.started_us = state.parts.now_us();
  record.timings_ms = whole_timings(record, {});
  auto event = pipeline::job_event{};
  auto written = write_surely(self, [&] {
    event = state.parts.catalog->move_job(record, "registry",
                                          "links the files of a version of the same work");
  });
  if (!written)
    return false;
  begin(self, record);
  spdlog::info("job {} links {} of avatar {}", record.job_id, from->version, from->avatar_id);
  tell(self, event);
  tell_queue(self);
  auto plan = pipeline::link_plan{record.job_id, record.request.avatar_id, record.request.tutor_id,
                                  record.request.video_name, *from};
  self->request(storage, state.config.step_timeout, atom::link_v, plan)
      .then(
          [=, id = record.job_id](pipeline::avatar_version& version) { linked(self, id, version); },
          [=, id = record.job_id](caf::error& why) { not_linked(self, id, why); });
  return true;
}

} // namespace musetalk::actors::registry_steps
