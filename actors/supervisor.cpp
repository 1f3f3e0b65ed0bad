#include "actors/supervisor.hpp"

#include "actors/interfaces.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace musetalk::actors {

namespace {

/// More deaths in a minute are no accident.
constexpr size_t max_respawns = 10;
constexpr auto respawn_window = std::chrono::minutes{1};

bool too_many_respawns(supervisor_pointer self) {
  auto& respawns = self->state.respawns;
  auto now = self->clock().now();
  while (!respawns.empty() && now - respawns.front() > respawn_window)
    respawns.pop_front();
  respawns.push_back(now);
  return respawns.size() > max_respawns;
}

// For those who look at the actors.
void place(supervisor_pointer self, const supervised& x) {
  place_actor(x.actor->id(), {x.name, self->id(), x.restarts});
}

void replace(supervisor_pointer self, const caf::down_msg& x, const fatal_callback& fatal) {
  auto& state = self->state;
  auto found = std::find_if(state.children.begin(), state.children.end(),
                            [&](const auto& child) { return child.actor->address() == x.source; });
  if (state.stopping || found == state.children.end())
    return;
  auto reason = self->system().render(x.reason);
  spdlog::error("the {} ended: {}", found->name, reason);
  if (!found->respawn) {
    fatal("the " + found->name + " ended: " + reason);
    return;
  }
  if (too_many_respawns(self)) {
    fatal("the " + found->name + " ends again and again: " + reason);
    return;
  }
  auto successor = self->guarded(found->respawn);
  if (!successor) {
    fatal("the " + found->name + " cannot be started again: " + detail_of(successor.error()));
    return;
  }
  found->actor = *successor;
  ++found->restarts;
  place(self, *found);
  self->monitor(found->actor->address());
}

} // namespace

caf::behavior supervisor(supervisor_pointer self, const std::vector<supervised>& children,
                         const fatal_callback& fatal) {
  self->state.children = children;
  for (const auto& x : children) {
    self->monitor(x.actor->address());
    place(self, x);
  }
  self->set_down_handler([=](caf::down_msg& x) { replace(self, x, fatal); });
  return {
      [=](atom::stop) {
        self->state.stopping = true;
        return caf::unit;
      },
  };
}

} // namespace musetalk::actors
