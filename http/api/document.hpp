#pragma once

#include "http/api/call.hpp"

#include <string>
#include <string_view>

namespace musetalk::http::api {

/// The interface as OpenAPI 3.1.
json openapi_document(std::string_view version);

/// `/a/:b` as OpenAPI writes it: `/a/{b}`.
std::string template_of(std::string_view pattern);

/// The names in a pattern: `b`.
std::vector<std::string> names_in(std::string_view pattern);

} // namespace musetalk::http::api
