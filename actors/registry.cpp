#include "actors/registry.hpp"

#include "actors/registry_steps.hpp"
#include "actors/restart.hpp"

#include <caf/send.hpp>

#include <spdlog/spdlog.h>

#include <algorithm>

namespace musetalk::actors {

namespace {

using namespace registry_steps;
using pipeline::job_view;
using pipeline::request_key;

bool recover(registry_pointer self) {
  auto& state = self->state;
  auto recovered = self->guarded([&] {
    auto& catalog = *state.parts.catalog;
    for (const auto& x : recover_jobs(catalog, state.config.max_attempts, state.parts.now_us()))
      if (x.state != pipeline::job_state::failed)
        state.unused_uploads.push_back(x.request.upload_id);
    find_kept_uploads(self);
    remember_past(state);
    for (auto& x : catalog.queued_jobs()) {
      state.last_created_us = std::max(state.last_created_us, x.created_us);
      x.options_key = pipeline::options_key(state.config.work, x.request.apply_blur);
      look_for_version(state, x);
      state.queue.push(std::move(x));
    }
  });
  if (!recovered)
    state.parts.fatal("the catalog cannot be read: " + detail_of(recovered.error()));
  return static_cast<bool>(recovered);
}

} // namespace

registry_actor::behavior_type registry(registry_pointer self, const registry_config& config,
                                       const registry_parts& parts) {
  auto& state = self->state;
  state.config = config;
  state.config.running_jobs = std::max<size_t>(config.running_jobs, 1);
  state.parts = parts;
  state.queue = job_queue{config.priority_step};
  state.counts.limit = static_cast<uint32_t>(config.queue_limit);
  if (!recover(self)) {
    self->quit(make_error(errc::catalog_failed, "The catalog cannot be read."));
    return registry_actor::behavior_type::make_empty_behavior();
  }
  self->set_down_handler([=](caf::down_msg& x) { runner_down(self, x.source); });
  self->set_exit_handler([=](caf::exit_msg& x) { begin_exit(self, x.reason); });
  return {
      [=](atom::submit, const pipeline::job_request& request) -> caf::result<job_view> {
        return self->guarded([&] { return submit(self, request); });
      },
      [=](atom::examine, const pipeline::job_request& request) -> caf::result<job_view> {
        return self->guarded([&] { return examine(self, request); });
      },
      [=](atom::look, const job_id& job) -> caf::result<job_view> {
        return self->guarded([&] { return look(self, job.value); });
      },
      [=](atom::look, const avatar_id& avatar) -> caf::result<pipeline::avatar> {
        return self->guarded([&] { return look_avatar(self, avatar.value); });
      },
      [=](atom::list, const pipeline::avatar_filter& filter,
          const pipeline::page_request& page) -> caf::result<pipeline::avatar_page> {
        return self->guarded([&] { return self->state.parts.catalog->list_avatars(filter, page); });
      },
      [=](atom::list, const pipeline::job_filter& filter,
          const pipeline::page_request& page) -> caf::result<pipeline::job_page> {
        return self->guarded([&] { return list_jobs(self, filter, page); });
      },
      [=](atom::await_end, const job_id& job) -> caf::result<job_view> {
        auto now = self->guarded([&] { return look_for_end(self, job.value); });
        if (!now)
          return now.error();
        if (is_final(now->record.state))
          return std::move(*now);
        return wait_for_end(self, job.value);
      },
      [=](atom::cancel, const job_id& job, const request_key& key) -> caf::result<job_view> {
        return self->guarded([&] { return cancel(self, job.value, key); });
      },
      [=](atom::retry, const job_id& job, const request_key& key) -> caf::result<job_view> {
        return self->guarded([&] { return retry(self, job.value, key); });
      },
      [=](atom::history, const job_id& job) -> caf::result<pipeline::job_history> {
        return self->guarded([&] { return history(self, job.value); });
      },
      [=](atom::event, const pipeline::event_query& query) -> caf::result<pipeline::event_page> {
        return self->guarded([&] { return events(self, query); });
      },
      [=](atom::follow, const caf::strong_actor_ptr& who) { follow(self, who); },
      [=](atom::remove, const avatar_id& avatar, bool force,
          const std::string& if_match) -> caf::result<avatar_id> {
        auto allowed = self->guarded([&] { check_removal(self, avatar.value, force, if_match); });
        if (!allowed)
          return allowed.error();
        return remove(self, avatar.value);
      },
      [=](atom::activate, const version_change& x) { return activate_version(self, x); },
      [=](atom::remove, const version_change& x) { return remove_version(self, x); },
      [=](atom::list, const avatar_id& avatar,
          const pipeline::page_request& page) -> caf::result<pipeline::video_page> {
        return self->guarded([&] { return list_videos(self, avatar.value, page); });
      },
      [=](atom::look, const video_id& video) -> caf::result<pipeline::spoken_video> {
        return self->guarded([&] { return look_video(self, video); });
      },
      [=](atom::remove, const video_id& video) { return remove_video(self, video); },
      [=](atom::verify, bool deep) { return check_store(self, deep); },
      [=](atom::touch, const avatar_id& avatar) -> caf::result<pipeline::avatar> {
        return self->guarded([&] { return touch(self, avatar.value); });
      },
      [=](atom::pin, const avatar_id& avatar, bool pinned) -> caf::result<pipeline::avatar> {
        return self->guarded([&] { return pin(self, avatar.value, pinned); });
      },
      [=](atom::clean, bool apply) -> caf::result<pipeline::retention_plan> {
        if (apply)
          return clean(self);
        return self->guarded([&] { return plan_cleaning(self); });
      },
      [=](atom::scrub, int64_t before) -> caf::result<pipeline::version_ref> {
        return self->guarded([&] {
          return self->state.parts.catalog->oldest_check(before).value_or(pipeline::version_ref{});
        });
      },
      [=](atom::scrub, const pipeline::version_ref& what, const std::string& damage) {
        scrubbed(self, what, damage);
      },
      [=](atom::tick) { look_after(self); },
      [=](atom::status) { return status(self); },
      [=](atom::status, const device_status& device) { self->state.counts.device = device; },
      [=](atom::progress, const pipeline::job_progress& x) { progress(self, x); },
      [=](atom::outcome, const job_outcome& x) { outcome(self, x); },
      [=](atom::next) { next(self); },
      [=](atom::stop) {
        self->state.stopping = true;
        spdlog::info("the registry takes no more jobs");
      },
  };
}

} // namespace musetalk::actors
