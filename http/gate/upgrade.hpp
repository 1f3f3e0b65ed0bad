#pragma once

#include "http/message.hpp"

namespace musetalk::http::gate {

/// Whether a request may become a WebSocket (RFC 6455 4.2.1).
/// @param minor HTTP/1.`minor`.
/// @throws error with `errc::upgrade_required` when it asks for something else or another version,
/// `errc::request_malformed` when it asks wrongly.
void check_upgrade(const request& in, int minor);

} // namespace musetalk::http::gate
