#pragma once

#include "actors/gpu_scheduler.hpp"
#include "actors/metered.hpp"

#include <caf/actor_addr.hpp>
#include <caf/actor_clock.hpp>
#include <caf/behavior.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace musetalk::actors {

/// One actor under supervision.
struct supervised {
  std::string name;
  caf::strong_actor_ptr actor;
  /// Makes and makes known its successor. Null when the service cannot go on without it.
  std::function<caf::strong_actor_ptr()> respawn;
  uint32_t restarts = 0;
};

struct supervisor_state {
  std::vector<supervised> children;
  std::deque<caf::actor_clock::time_point> respawns; ///< Of the last minute.
  bool stopping = false;                             ///< From here on ends are no accidents.

  static inline const char* name = "supervisor";
};

using supervisor_pointer = caf::stateful_actor<supervisor_state, metered<caf::event_based_actor>>*;

/// Replaces workers that died, and ends the service when one died that cannot be replaced, or when
/// replacing does not help. Their jobs are failed by those who waited for them. Told `atom::stop`
/// before the end of the service.
caf::behavior supervisor(supervisor_pointer self, const std::vector<supervised>& children,
                         const fatal_callback& fatal);

} // namespace musetalk::actors
