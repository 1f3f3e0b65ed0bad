#pragma once

#include "actors/interfaces.hpp"
#include "actors/metered.hpp"
#include "actors/worker_directory.hpp"
#include "pipeline/version_scrub.hpp"

#include <caf/actor_clock.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace musetalk::actors {

struct janitor_config {
  std::chrono::milliseconds tick{1'000};     ///< Short, so that it never holds up the end.
  std::chrono::seconds care_interval{10};    ///< Between looks at what has expired.
  std::chrono::seconds clean_interval{0};    ///< Between two cleanings; 0: none.
  uint64_t scrub_bytes = 0;                  ///< Compared with each tick; 0: nothing is.
  std::chrono::seconds scrub_age{604'800};   ///< Until a version is compared again.
  std::chrono::seconds rest{60};             ///< After there was nothing to compare.
  std::chrono::milliseconds timeout{30'000}; ///< Of a question to the REGISTRY.
};

/// Whom a JANITOR works with.
struct janitor_parts {
  registry_actor registry;
  std::shared_ptr<const worker_directory> workers; ///< The storage writer.
  pipeline::store_layout layout;
  std::function<pipeline::timestamp_us()> now_us;
};

struct janitor_state {
  janitor_config config;
  janitor_parts parts;
  caf::actor_clock::time_point cared;      ///< When it last looked at what has expired.
  caf::actor_clock::time_point cleaned;    ///< When it last had the store cleaned.
  caf::actor_clock::time_point rest_until; ///< Nothing is to be compared before.
  bool asking = false;                     ///< The REGISTRY is looking for a version.
  bool cleaning = false;                   ///< The REGISTRY is at work.
  pipeline::version_ref scrubbing;         ///< What is being compared.
  std::optional<pipeline::version_scrub> scrub;

  static inline const char* name = "janitor";
};

using janitor_pointer = metered_actor<janitor_actor, janitor_state>*;

/// Begins by itself and goes on until it is ended. Decides nothing: the REGISTRY knows what goes.
janitor_actor::behavior_type janitor(janitor_pointer self, const janitor_config& config,
                                     const janitor_parts& parts);

} // namespace musetalk::actors
