#pragma once

#include "config/settings.hpp"
#include "http/server.hpp"

namespace musetalk::http {

/// Makes spdlog write to standard error as the settings say: lines for people, or one JSON object
/// in each line. Call once, before anything logs.
void start_logging(const config::settings& settings);

/// Writes one line for one request. Never waits for the terminal or disk: lines that cannot be
/// written in time are lost, the oldest first.
void log_access(const access_record& x);

/// Writes what is still to be written.
void stop_logging();

} // namespace musetalk::http
