#pragma once

// From settings to the configurations of the parts: the one place that knows which setting goes
// where, and which function of the pipeline does what for which actor.

#include "actors/system.hpp"
#include "config/settings.hpp"
#include "http/exporter.hpp"
#include "http/server.hpp"
#include "pipeline/clip_preparer.hpp"
#include "pipeline/face_methods.hpp"
#include "pipeline/weights.hpp"

#include <string>
#include <vector>

namespace musetalk::http {

pipeline::media_limits media_limits_of(const config::settings& x);

pipeline::prepare_config prepare_config_of(const config::settings& x,
                                           const pipeline::face_methods& faces);

/// Why nothing can be spoken; empty when it can.
std::vector<std::string> missing_to_speak(const config::settings& x,
                                          const pipeline::weights_status& weights);

pipeline::networks_config networks_config_of(const config::settings& x,
                                             const pipeline::weights_status& weights,
                                             const pipeline::face_methods& faces);

/// @param weights As looked at once at the start.
/// @param faces As chosen by them.
/// What versions depend on, the files of the networks among it.
pipeline::work_options work_options_of(const config::settings& x,
                                       const pipeline::weights_status& weights,
                                       const pipeline::face_methods& faces);

actors::system_config system_config_of(const config::settings& x,
                                       const pipeline::weights_status& weights,
                                       const pipeline::face_methods& faces);

/// @param weights, faces The same. @param fatal As in `system_parts`.
actors::system_parts system_parts_of(const config::settings& x,
                                     const pipeline::weights_status& weights,
                                     const pipeline::face_methods& faces,
                                     actors::fatal_callback fatal);

/// The REGISTRY is the caller's to fill in.
exporter_config exporter_config_of(const config::settings& x);

server_options server_options_of(const config::settings& x);

/// Sets what libraries keep once for the whole process: OpenCV's threads. Called by a program's
/// main before anything computes.
void set_up_process(const config::settings& x);

} // namespace musetalk::http
