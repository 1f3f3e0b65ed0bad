#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace musetalk::tests {

/// Where a value breaks a schema; empty when it fits. Knows the words of JSON Schema 2020-12 that
/// our documents use, and reports any other, so that none is passed over.
/// @param root What `$ref` points into.
std::vector<std::string> violations(const nlohmann::json& value, const nlohmann::json& schema,
                                    const nlohmann::json& root, const std::string& where = "$");

} // namespace musetalk::tests
