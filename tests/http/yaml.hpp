#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace musetalk::tests {

/// JSON as YAML for people: objects and lists in blocks, texts in quotes.
inline std::string yaml_of(const nlohmann::ordered_json& x, const std::string& indent = "") {
  auto result = std::string{};
  auto member = [&](const std::string& key, const nlohmann::ordered_json& value) {
    result += indent + key;
    if (value.is_structured() && !value.empty())
      result += "\n" + yaml_of(value, indent + "  ");
    else
      result += " " + value.dump() + "\n";
  };
  for (const auto& [name, value] : x.items())
    member(x.is_array()
               ? "-"
               : (name.starts_with('$') || name.starts_with('/') ? "\"" + name + "\"" : name) + ":",
           value);
  return result;
}

} // namespace musetalk::tests
