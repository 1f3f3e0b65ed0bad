#include "actors/janitor.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace musetalk::actors {

namespace {

void end_scrub(janitor_pointer self, const std::string& damage) {
  auto& state = self->state;
  state.scrub.reset();
  self->send(state.parts.registry, atom::scrub_v, std::exchange(state.scrubbing, {}), damage);
}

/// A version that is gone meanwhile has no damage.
void scrub_failed(janitor_pointer self, const caf::error& why) {
  if (code_of(why) == errc::avatar_damaged) {
    end_scrub(self, detail_of(why));
    return;
  }
  const auto& x = self->state.scrubbing;
  spdlog::warn("version {} of avatar {} cannot be compared: {}", x.version, x.avatar_id,
               detail_of(why));
  end_scrub(self, "");
}

void begin_scrub(janitor_pointer self, const pipeline::version_ref& what) {
  auto& state = self->state;
  if (what.version.empty()) {
    state.rest_until = self->clock().now() + state.config.rest;
    return;
  }
  state.scrubbing = what;
  auto begun = self->guarded(
      [&] { state.scrub.emplace(state.parts.layout.version(what.avatar_id, what.version)); });
  if (!begun)
    scrub_failed(self, begun.error());
}

void find_version(janitor_pointer self) {
  auto& state = self->state;
  auto now = self->clock().now();
  if (state.asking || now < state.rest_until)
    return;
  state.asking = true;
  auto before = state.parts.now_us() - std::chrono::microseconds{state.config.scrub_age}.count();
  self->request(state.parts.registry, state.config.timeout, atom::scrub_v, int64_t{before})
      .then(
          [=](const pipeline::version_ref& what) {
            self->state.asking = false;
            begin_scrub(self, what);
          },
          [=](const caf::error& why) {
            self->note(why);
            self->state.asking = false;
            self->state.rest_until = self->clock().now() + self->state.config.rest;
          });
}

void scrub(janitor_pointer self) {
  auto& state = self->state;
  if (state.config.scrub_bytes == 0)
    return;
  if (!state.scrub) {
    find_version(self);
    return;
  }
  auto done = self->guarded([&] { return state.scrub->step(state.config.scrub_bytes); });
  if (!done)
    scrub_failed(self, done.error());
  else if (*done)
    end_scrub(self, "");
}

void care(janitor_pointer self) {
  auto& state = self->state;
  auto now = self->clock().now();
  if (now - state.cared < state.config.care_interval)
    return;
  state.cared = now;
  self->send(state.parts.registry, atom::tick_v);
  if (auto storage = state.parts.workers->get().storage)
    self->send(storage, atom::tick_v);
}

void clean(janitor_pointer self) {
  auto& state = self->state;
  auto now = self->clock().now();
  if (state.config.clean_interval.count() == 0 || state.cleaning ||
      now - state.cleaned < state.config.clean_interval)
    return;
  state.cleaned = now;
  state.cleaning = true;
  // It may have much to remove; it tells in the log what it did.
  self->request(state.parts.registry, caf::infinite, atom::clean_v, true)
      .then([=](const pipeline::retention_plan&) { self->state.cleaning = false; },
            [=](const caf::error& why) {
              self->note(why);
              self->state.cleaning = false;
            });
}

} // namespace

janitor_actor::behavior_type janitor(janitor_pointer self, const janitor_config& config,
                                     const janitor_parts& parts) {
  auto& state = self->state;
  state.config = config;
  state.parts = parts;
  // Not at once: a start has enough to do.
  state.cared = state.cleaned = state.rest_until = self->clock().now();
  self->delayed_send(self, config.tick, atom::tick_v);
  return {
      [=](atom::tick) {
        self->delayed_send(self, self->state.config.tick, atom::tick_v);
        care(self);
        clean(self);
        scrub(self);
      },
  };
}

} // namespace musetalk::actors
