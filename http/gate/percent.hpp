#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace musetalk::http::gate {

/// Whether text is well-formed UTF-8 (RFC 3629) without control characters.
bool is_plain_utf8(std::string_view text) noexcept;

/// Undoes percent-encoding.
/// @param plus_is_space As HTML forms write a query.
/// @throws error with `errc::request_malformed` for a bad escape, or when the result is no plain
/// UTF-8.
std::string percent_decode(std::string_view text, bool plus_is_space = false);

/// Reads `a=1&b=x%20y`; pairs without `=` get an empty value, empty pairs are skipped.
/// @throws error with `errc::request_malformed` for a bad escape or more than `max_pairs` pairs.
query_map parse_query(std::string_view text, size_t max_pairs);

} // namespace musetalk::http::gate
