#pragma once

#include <cstddef>

namespace musetalk::bench {

/// What clients cost that follow events and hear nothing.
struct follower_figures {
  size_t followers = 0;
  double grown_mb = 0.; ///< Resident memory of server and clients together.
  double event_ms = 0.; ///< From one event until the last client has it.
};

/// Opens so many streams of a real EVENT FEED over loopback.
follower_figures measure_followers(size_t count);

/// Resident bytes of this process.
size_t resident_bytes();

} // namespace musetalk::bench
