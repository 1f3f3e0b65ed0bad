#include "actors/registry_steps.hpp"

#include "pipeline/avatar_tag.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <utility>

// How long things stay: who was used when, what goes, and what turned out to be damaged.

namespace musetalk::actors::registry_steps {

namespace {

using pipeline::retention_plan;
using pipeline::retention_removal;

/// Events that one look forgets: a few milliseconds of work.
constexpr int64_t events_at_once = 2'000;

/// Leftovers on the disk are rare.
constexpr auto expire_every = std::chrono::minutes{10};

std::vector<pipeline::avatar> all_avatars(pipeline::catalog& catalog) {
  auto result = std::vector<pipeline::avatar>{};
  auto page = pipeline::page_request{1'000, ""};
  do {
    auto next = catalog.list_avatars({}, page);
    std::move(next.avatars.begin(), next.avatars.end(), std::back_inserter(result));
    page.cursor = next.next_cursor;
  } while (!page.cursor.empty());
  return result;
}

void write_uses(registry_state& state) {
  if (state.uses.empty())
    return;
  state.parts.catalog->note_uses(state.uses);
  state.uses.clear();
}

/// As the catalog knows it, and what it does not know yet.
pipeline::avatar with_use(const registry_state& state, pipeline::avatar x) {
  if (auto found = state.uses.find(x.avatar_id); found != state.uses.end())
    x.used_us = std::max(x.used_us, found->second);
  return x;
}

void prune(registry_state& state) {
  const auto& config = state.config;
  if (config.keep_events_us == 0 && config.max_events == 0)
    return;
  auto before = config.keep_events_us > 0 ? state.parts.now_us() - config.keep_events_us : 0;
  state.parts.catalog->prune_events(before, config.max_events, events_at_once);
}

void expire_leftovers(registry_pointer self) {
  auto& state = self->state;
  auto now = self->clock().now();
  auto storage = state.parts.workers->get().storage;
  if (!storage || now - state.expired_at < expire_every)
    return;
  state.expired_at = now;
  auto needed = state.unused_uploads;
  for (const auto& x : state.kept_uploads)
    needed.push_back(x.upload_id);
  for (const auto& [id, x] : state.active)
    needed.push_back(x.record.request.upload_id);
  for (const auto& x : state.queue.first(state.queue.size()))
    needed.push_back(x.request.upload_id);
  self->send(storage, atom::expire_v, std::move(needed));
}

// -- a plan that is carried out -------------------------------------------------------

/// One removal after the other: clients and jobs come between them.
struct cleaning {
  retention_plan plan;
  size_t next = 0;
  caf::typed_response_promise<retention_plan> reply;
};

using cleaning_ptr = std::shared_ptr<cleaning>;

/// What became of the removal at hand.
void note_removal(cleaning& run, const std::string& failure) {
  auto& x = run.plan.removals[run.next++];
  x.failure = failure;
  auto what = x.version.empty() ? "avatar " + x.avatar_id
                                : "version " + x.version + " of avatar " + x.avatar_id;
  if (failure.empty())
    spdlog::info("{} went: {}", what, x.detail);
  else
    spdlog::warn("{} did not go: {}", what, failure);
}

/// The avatar as it now is, if the plan still holds for it.
std::optional<pipeline::avatar> still_free(registry_pointer self, const cleaning& run,
                                           const retention_removal& x) {
  auto& state = self->state;
  auto known = state.parts.catalog->find_avatar(x.avatar_id);
  if (!known || known->pinned || has_jobs(state, x.avatar_id))
    return std::nullopt;
  auto used = with_use(state, *known).used_us > run.plan.at_us;
  auto renewed = !known->versions.empty() && known->versions.back().created_us > run.plan.at_us;
  if (x.version.empty() && (used || renewed))
    return std::nullopt;
  return known;
}

void finish(registry_pointer self, const cleaning_ptr& run) {
  self->state.cleaning = false;
  auto& plan = run->plan;
  plan.applied = true;
  for (const auto& x : plan.removals)
    if (!x.failure.empty())
      plan.bytes_kept += x.bytes;
  run->reply.deliver(plan);
}

/// The tag of the avatar that the removal at hand is of; the error says why it must not be tried.
caf::expected<std::string> tag_for_removal(registry_pointer self, const cleaning& run) {
  return self->guarded([&] {
    if (self->state.stopping)
      throw error(errc::stopping, "The service is stopping.");
    auto known = still_free(self, run, run.plan.removals[run.next]);
    if (!known)
      throw error(errc::avatar_busy, "It was used meanwhile.");
    return pipeline::avatar_tag(*known);
  });
}

void carry_on(registry_pointer self, const cleaning_ptr& run) {
  auto tag = std::string{};
  while (tag.empty() && run->next < run->plan.removals.size()) {
    auto found = tag_for_removal(self, *run);
    if (found)
      tag = std::move(*found);
    else
      note_removal(*run, detail_of(found.error()));
  }
  if (run->next == run->plan.removals.size()) {
    finish(self, run);
    return;
  }
  const auto& x = run->plan.removals[run->next];
  auto done = [=](const std::string& failure) {
    note_removal(*run, failure);
    carry_on(self, run);
  };
  // Asked of itself as a client would: the same rules hold.
  auto me = caf::actor_cast<registry_actor>(self);
  auto timeout = self->state.config.step_timeout * 2;
  if (x.version.empty())
    self->request(me, timeout, atom::remove_v, avatar_id{x.avatar_id}, false, tag)
        .then([=](avatar_id&) { done(""); }, [=](const caf::error& y) { done(detail_of(y)); });
  else
    self->request(me, timeout, atom::remove_v, version_change{x.avatar_id, x.version, tag, {}})
        .then([=](pipeline::avatar&) { done(""); },
              [=](const caf::error& y) { done(detail_of(y)); });
}

} // namespace

pipeline::avatar touch(registry_pointer self, const std::string& avatar_id) {
  auto& state = self->state;
  auto known = look_avatar(self, avatar_id);
  // Written down with the next look: uses come often, and days are what counts.
  state.uses[avatar_id] = state.parts.now_us();
  return with_use(state, std::move(known));
}

pipeline::avatar pin(registry_pointer self, const std::string& avatar_id, bool pinned) {
  if (!self->state.parts.catalog->pin_avatar(avatar_id, pinned))
    throw error(errc::avatar_not_found, "There is no avatar of that id.");
  spdlog::info("avatar {} is {}", avatar_id, pinned ? "pinned" : "no longer pinned");
  return with_use(self->state, look_avatar(self, avatar_id));
}

retention_plan plan_cleaning(registry_pointer self) {
  auto& state = self->state;
  write_uses(state);
  auto avatars = all_avatars(*state.parts.catalog);
  auto busy = std::set<std::string>{};
  for (const auto& x : avatars)
    if (has_jobs(state, x.avatar_id) || state.removals.contains(x.avatar_id))
      busy.insert(x.avatar_id);
  return plan_retention(avatars, busy, state.config.retention, state.parts.now_us());
}

caf::result<retention_plan> clean(registry_pointer self) {
  auto& state = self->state;
  if (state.cleaning)
    return make_error(errc::avatar_busy, "The store is being cleaned already.");
  auto plan = self->guarded([&] { return plan_cleaning(self); });
  if (!plan)
    return plan.error();
  auto run = std::make_shared<cleaning>();
  run->plan = std::move(*plan);
  run->reply = self->make_response_promise<retention_plan>();
  auto reply = run->reply;
  state.cleaning = true;
  carry_on(self, run);
  return reply;
}

void scrubbed(registry_pointer self, const pipeline::version_ref& what, const std::string& damage) {
  auto& state = self->state;
  if (damage.empty()) {
    self->guarded([&] { state.parts.catalog->note_check(what, state.parts.now_us()); });
    return;
  }
  auto reason = what.version + " is damaged and was set aside: " + damage;
  self->request(state.parts.workers->get().storage, state.config.step_timeout, atom::set_aside_v,
                avatar_id{what.avatar_id}, what.version)
      .then(
          [=](const std::string& current) {
            spdlog::error("avatar {}: {} Current is {}.", what.avatar_id, reason,
                          current.empty() ? "no version" : current);
            auto event = self->guarded(
                [&] { return self->state.parts.catalog->lose_version(what, current, reason); });
            if (event && *event)
              tell(self, **event);
          },
          // It was removed meanwhile, or the disk is out of order: looked at again later.
          [=](const caf::error& why) {
            self->note(why);
            spdlog::warn("avatar {}: {} is damaged ({}) and could not be set aside: {}",
                         what.avatar_id, what.version, damage, detail_of(why));
            self->guarded(
                [&] { self->state.parts.catalog->note_check(what, self->state.parts.now_us()); });
          });
}

void look_after(registry_pointer self) {
  auto& state = self->state;
  if (state.stopping)
    return;
  release_kept(self);
  expire_leftovers(self);
  // What the catalog refuses now is tried again with the next look.
  self->guarded([&] {
    write_uses(state);
    prune(state);
  });
}

} // namespace musetalk::actors::registry_steps
