#pragma once

// All actors of the process that are alive, and the last that have ended. Actor ids are unique in a
// process, also over several actor systems.

#include "actors/meter.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace musetalk::actors {

/// An actor that is no more.
struct ended_actor {
  meter_reading last; ///< When it ended.
  std::string reason;
  std::chrono::system_clock::time_point at;
};

/// What all actors of one name did, those that have ended included: never falls.
struct actor_totals {
  uint64_t handled = 0;
  uint64_t errors = 0;
  uint64_t ended = 0; ///< Actors of that name that are no more.
  int64_t busy_us = 0;
};

/// Makes the meter of a new actor and lists it, as a child of the one whose handler runs on this
/// thread, if any does.
std::shared_ptr<meter> make_meter(uint64_t actor_id);

/// Says where an actor belongs; nothing happens when it has ended already.
void place_actor(uint64_t actor_id, actor_place x);

/// Takes the meter of an actor that has ended from the list. Senders may still hold the actor.
/// @param reason Empty: as planned.
void unlist_meter(const meter& x, std::string reason);

/// The meters of all living actors, by actor id.
std::vector<std::shared_ptr<const meter>> listed_meters();

/// Null when no such actor is alive.
std::shared_ptr<const meter> find_meter(uint64_t actor_id);

/// Readings of all living actors, by actor id.
std::vector<meter_reading> read_meters();

/// The last that have ended, the latest first; at most 64.
std::vector<ended_actor> ended_actors();

/// By name.
std::map<std::string, actor_totals> read_totals();

/// While it lives, actors that are made on this thread are children of that one.
class acting {
public:
  explicit acting(uint64_t actor_id) noexcept : before_(std::exchange(current_, actor_id)) {}
  ~acting() { current_ = before_; }
  acting(const acting&) = delete;
  acting& operator=(const acting&) = delete;

  /// 0: no actor's handler runs on this thread.
  static uint64_t current() noexcept { return current_; }

private:
  static inline thread_local uint64_t current_ = 0;
  uint64_t before_;
};

} // namespace musetalk::actors
