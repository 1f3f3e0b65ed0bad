#pragma once

// Who follows what happens: many clients, by server-sent events or WebSocket. The REGISTRY tells
// the EVENT FEED each thing once; a client that reads slowly costs its own stream and nobody else
// anything.

#include "actors/interfaces.hpp"
#include "actors/metered.hpp"
#include "http/event_client.hpp"

#include <caf/actor_clock.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace musetalk::http {

/// A client that wants to follow one job, those of an avatar, or all.
struct follow_events {
  std::shared_ptr<event_client> to;
  pipeline::event_query query;
};

} // namespace musetalk::http

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::follow_events)

namespace musetalk::http {

/// The EVENT FEED: a JOB FOLLOWER that passes on to clients what it is told. Spawn it detached: it
/// writes to sockets.
using event_feed_actor = actors::job_follower_actor::extend<
    // What the client missed, where things stand, then everything as it happens, until the one job
    // it follows has ended.
    caf::reacts_to<follow_events>,
    // INTERNAL: looks after clients that left, and tells the others that their stream lives.
    caf::reacts_to<actors::atom::tick>,
    // INTERNAL: tells progress that has gathered.
    caf::reacts_to<actors::atom::next>>;

struct event_feed_config {
  actors::registry_actor registry;
  std::chrono::milliseconds timeout{30'000};   ///< Of a question to the REGISTRY.
  size_t max_followers = 2'048;                ///< One more is refused with `queue_full`.
  std::chrono::milliseconds gather{200};       ///< Progress is told at most that often.
  std::chrono::milliseconds heartbeat{15'000}; ///< Without anything else to say.
  std::chrono::milliseconds tick{1'000};       ///< Between two looks at the clients.
};

struct event_feed_state {
  /// A client that is told.
  struct follower {
    std::shared_ptr<event_listener> to;
    std::string job_id;    ///< Empty: all.
    std::string avatar_id; ///< Empty: all.
    int64_t last = 0;      ///< Everything up to this sequence was written.
    bool live = false;     ///< Knows all up to now; else more history is on its way or to be asked.
    bool asking = false;   ///< A page of history is on its way.
    bool behind = false;   ///< Progress was held back while it read slowly.
    caf::actor_clock::time_point told; ///< When something was written last.
  };

  event_feed_config config;
  std::map<uint64_t, follower> followers; ///< By a number that grows.
  uint64_t last_number = 0;
  size_t opening = 0;                                 ///< Clients whose first page is on its way.
  std::map<std::string, pipeline::job_view> progress; ///< Latest, of jobs that are not final.
  std::set<std::string> news;                         ///< Jobs whose progress is still to be told.
  bool gathering = false;                             ///< A `next` is on its way.
  bool ticking = false;

  static inline const char* name = "event-feed";
};

using event_feed_pointer = actors::metered_actor<event_feed_actor, event_feed_state>*;

event_feed_actor::behavior_type event_feed(event_feed_pointer self,
                                           const event_feed_config& config);

} // namespace musetalk::http
