#pragma once

#include "http/api/shape.hpp"

#include <string_view>

namespace musetalk::http::api {

/// What WebSocket and server-sent events carry, as AsyncAPI 3.0. docs/asyncapi.yaml is the same.
json async_document(std::string_view version);

} // namespace musetalk::http::api
