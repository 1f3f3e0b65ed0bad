#include "actors/registry_steps.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace musetalk::actors::registry_steps {

using pipeline::job;
using pipeline::job_state;

size_t places_taken(const registry_state& state) {
  return static_cast<size_t>(std::count_if(state.active.begin(), state.active.end(),
                                           [](const auto& x) { return !x.second.linking; }));
}

double until_free(const registry_state& state, caf::actor_clock::time_point now) {
  if (places_taken(state) < state.config.running_jobs)
    return 0.;
  auto result = -1.;
  for (const auto& [id, x] : state.active)
    if (auto rest = x.eta.rest_s(now); rest >= 0.)
      result = result < 0. ? rest : std::min(result, rest);
  return result;
}

void release_upload(registry_pointer self, const std::string& upload) {
  if (upload.empty())
    return;
  if (auto uploads = self->state.parts.workers->get().uploads)
    self->send(uploads, atom::release_v, upload_id{upload});
  else
    self->state.unused_uploads.push_back(upload);
}

bool has_jobs(const registry_state& state, const std::string& avatar_id) {
  return !state.queue.of_avatar(avatar_id).empty() ||
         std::any_of(state.active.begin(), state.active.end(),
                     [&](const auto& x) { return x.second.record.request.avatar_id == avatar_id; });
}

bool avatar_is_busy(const registry_state& state, const std::string& avatar_id) {
  return state.removals.contains(avatar_id) ||
         std::any_of(state.active.begin(), state.active.end(),
                     [&](const auto& x) { return x.second.record.request.avatar_id == avatar_id; });
}

void after_end(registry_pointer self, const job& record) {
  auto& state = self->state;
  auto view = view_of(self, record);
  std::erase_if(state.waiters, [&](auto& x) {
    if (x.job_id != record.job_id)
      return false;
    x.reply.deliver(view);
    return true;
  });
  keep_or_release(self, record);
  const auto& avatar = record.request.avatar_id;
  if (state.removals.contains(avatar) && !has_jobs(state, avatar))
    remove_files(self, avatar);
}

namespace {

/// Slices of its files that an avatar on a full disk may take to make room for its own removal.
constexpr auto removal_tries = 64;

void remove_files(registry_pointer self, const std::string& avatar, int tries) {
  auto deliver = [=](const auto& answer) {
    if (auto node = self->state.removals.extract(avatar))
      for (auto& x : node.mapped())
        x.deliver(answer);
  };
  // Files first: rows without files are dropped at the next start, files without rows would come
  // back as an avatar.
  self->request(self->state.parts.workers->get().storage, self->state.config.step_timeout,
                atom::remove_v, avatar_id{avatar})
      .then(
          [=](avatar_id& removed) {
            auto& catalog = *self->state.parts.catalog;
            auto done = self->guarded([&] { return catalog.remove_avatar(removed.value); });
            if (!done && code_of(done.error()) == errc::storage_full && tries > 1) {
              // The STORAGE WRITER deletes the next slice before it answers again.
              remove_files(self, avatar, tries - 1);
              return;
            }
            spdlog::info("avatar {} is removed", removed.value);
            release_kept(self, removed.value);
            if (done)
              deliver(removed);
            else
              deliver(done.error());
          },
          [=](caf::error& x) { deliver(x); });
}

} // namespace

void remove_files(registry_pointer self, const std::string& avatar) {
  remove_files(self, avatar, removal_tries);
}

pipeline::job_view view_of(registry_pointer self, const job& record, const queue_plan* plan) {
  auto& state = self->state;
  auto now = self->clock().now();
  auto result = pipeline::job_view{};
  result.record = record;
  result.progress.job_id = record.job_id;
  if (auto found = state.active.find(record.job_id);
      found != state.active.end() && !is_final(record.state)) {
    result.progress = found->second.progress;
    result.eta_s = found->second.eta.rest_s(now);
  } else if (record.state == job_state::queued) {
    result.position = state.queue.position(record.job_id);
    auto made = plan ? queue_plan{} : plan_queue(state, now);
    const auto& ends = plan ? *plan : made;
    auto end = ends.find(record.job_id);
    result.eta_s = end == ends.end() ? -1. : end->second;
  } else if (record.state == job_state::completed) {
    result.progress.fraction = 1.;
    result.eta_s = 0.;
  }
  return result;
}

} // namespace musetalk::actors::registry_steps
