#pragma once

#include "http/message.hpp"

#include <span>
#include <string>

namespace musetalk::http {

/// Refuses a request that a browser sends for a page of another site. Without `Origin` it is no
/// browser's; with one, that has to be the host that the request went to, or one of `allowed`.
/// @param allowed `https://host:port` in lower case, or `*`.
/// @throws error `origin_forbidden`.
void require_own_origin(const request& in, std::span<const std::string> allowed);

} // namespace musetalk::http
