#pragma once

#include "pipeline/job.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace musetalk::pipeline {

/// The wall clock.
timestamp_us now_us();

/// RFC 3339 in UTC with milliseconds, such as `2024-05-01T12:30:45.123Z`. Truncates microseconds.
std::string to_rfc3339(timestamp_us at);

/// Reads what `to_rfc3339` writes (any number of fractional digits, `Z` only); nothing else.
std::optional<timestamp_us> from_rfc3339(std::string_view text);

} // namespace musetalk::pipeline
