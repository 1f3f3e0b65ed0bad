#pragma once

#include "errors/error.hpp"

#include <stop_token>

namespace musetalk::pipeline {

/// Ends work that nobody wants any more. Called between pieces of some milliseconds.
/// @throws error `cancelled`.
inline void check_stop(const std::stop_token& stop) {
  if (stop.stop_requested())
    throw error(errc::cancelled, "The work was withdrawn.");
}

} // namespace musetalk::pipeline
