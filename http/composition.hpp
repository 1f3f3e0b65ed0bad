#pragma once

// From settings to the configurations of the parts: the one place that knows which setting goes
// where, and which function of the pipeline does what for which actor.

#include "actors/system.hpp"
#include "config/settings.hpp"
#include "http/server.hpp"
#include "pipeline/clip_preparer.hpp"
#include "pipeline/weights.hpp"

#include <string>

namespace musetalk::http {

/// `none` in mock mode, else `synthetic` or `real`.
std::string weights_mode_of(const config::settings& x);

pipeline::media_limits media_limits_of(const config::settings& x);

pipeline::prepare_config prepare_config_of(const config::settings& x);

/// @param weights As looked at once at the start.
actors::system_config system_config_of(const config::settings& x,
                                       const pipeline::weights_status& weights);

/// @param fatal As in `system_parts`.
actors::system_parts system_parts_of(const config::settings& x, actors::fatal_callback fatal);

server_options server_options_of(const config::settings& x);

} // namespace musetalk::http
