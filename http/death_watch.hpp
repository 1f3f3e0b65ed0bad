#pragma once

#include <caf/abstract_actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/error.hpp>
#include <caf/exit_reason.hpp>

#include <string>
#include <utility>

namespace musetalk::http {

/// Has `fatal(reason)` called when an actor ends otherwise than by being told to. For the actors
/// that the service cannot answer without: better a restart than a server that only says 500.
/// @param fatal Called at most once, on the actor's thread; must not block.
template <class Handle, class F>
void watch_for_death(const Handle& x, std::string name, F fatal) {
  caf::actor_cast<caf::abstract_actor*>(x)->attach_functor(
      [name = std::move(name), fatal = std::move(fatal)](const caf::error& reason) {
        if (reason && reason != caf::exit_reason::user_shutdown)
          fatal("the " + name + " has died");
      });
}

} // namespace musetalk::http
