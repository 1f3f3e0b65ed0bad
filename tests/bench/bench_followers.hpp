#pragma once

#include <cstddef>

namespace musetalk::bench {

/// What clients cost that follow events and hear nothing.
struct follower_figures {
  size_t followers = 0;
  double grown_mb = 0.; ///< Resident memory of server and clients together.
  double event_ms = 0.; ///< Of one event among many until the last client has it.
};

enum class follow_by { stream, socket };

/// Opens so many streams or WebSockets of a real EVENT FEED over loopback. Ends the program when
/// one misses an event.
follower_figures measure_followers(size_t count, follow_by how);

/// Resident bytes of this process.
size_t resident_bytes();

} // namespace musetalk::bench
