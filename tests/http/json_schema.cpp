#include "tests/http/json_schema.hpp"

#include <algorithm>
#include <set>

namespace musetalk::tests {

namespace {

using json = nlohmann::json;
using faults = std::vector<std::string>;

bool is_type(const json& value, const std::string& type) {
  return (type == "string" && value.is_string()) ||
         (type == "integer" && value.is_number_integer()) ||
         (type == "number" && value.is_number()) || (type == "boolean" && value.is_boolean()) ||
         (type == "null" && value.is_null()) || (type == "array" && value.is_array()) ||
         (type == "object" && value.is_object());
}

bool has_type(const json& value, const json& types) {
  if (types.is_string())
    return is_type(value, types);
  return std::ranges::any_of(types, [&](const json& x) { return is_type(value, x); });
}

bool is_time(const std::string& text) {
  auto shape = std::string_view{"0000-00-00T00:00:00.000Z"};
  return text.size() == shape.size() && std::ranges::equal(text, shape, [](char a, char b) {
           return b == '0' ? a >= '0' && a <= '9' : a == b;
         });
}

void add(faults& to, const faults& more) {
  to.insert(to.end(), more.begin(), more.end());
}

faults members(const json& value, const json& schema, const json& root, const std::string& where) {
  auto result = faults{};
  for (const auto& name : schema.value("required", json::array()))
    if (!value.contains(name.get<std::string>()))
      result.push_back(where + ": " + name.get<std::string>() + " is missing");
  auto known = schema.value("properties", json::object());
  for (const auto& [name, member] : value.items()) {
    auto inner = where + "." + name;
    if (known.contains(name))
      add(result, violations(member, known[name], root, inner));
    else if (auto rest = schema.find("additionalProperties"); rest == schema.end())
      continue;
    else if (rest->is_boolean() && !*rest)
      result.push_back(inner + " is not documented");
    else if (rest->is_object())
      add(result, violations(member, *rest, root, inner));
  }
  if (value.size() > schema.value("maxProperties", value.size()))
    result.push_back(where + " has too many members");
  return result;
}

} // namespace

faults violations(const json& value, const json& schema, const json& root,
                  const std::string& where) {
  static const auto words = std::set<std::string>{"$ref",
                                                  "type",
                                                  "enum",
                                                  "const",
                                                  "format",
                                                  "properties",
                                                  "required",
                                                  "additionalProperties",
                                                  "maxProperties",
                                                  "items",
                                                  "anyOf",
                                                  "allOf",
                                                  "description",
                                                  "minimum",
                                                  "maximum",
                                                  "maxLength",
                                                  "contentMediaType"};
  auto result = faults{};
  for (const auto& [word, ignored] : schema.items())
    if (!words.contains(word))
      result.push_back(where + ": the schema has a word that this checker lacks: " + word);
  auto need = [&](bool fits, const std::string& what) {
    if (!fits)
      result.push_back(where + " " + what + ": " + value.dump().substr(0, 200));
  };
  if (schema.contains("$ref"))
    add(result,
        violations(value, root.at(json::json_pointer{schema["$ref"].get<std::string>().substr(1)}),
                   root, where));
  if (schema.contains("type"))
    need(has_type(value, schema["type"]), "is no " + schema["type"].dump());
  if (schema.contains("enum"))
    need(std::ranges::find(schema["enum"], value) != schema["enum"].end(),
         "is none of " + schema["enum"].dump());
  if (schema.contains("const"))
    need(value == schema["const"], "is not " + schema["const"].dump());
  if (value.is_string() && schema.value("format", "") == "date-time")
    need(is_time(value), "is no time");
  if (value.is_string() && schema.contains("maxLength"))
    need(value.get_ref<const std::string&>().size() <= schema["maxLength"].get<size_t>(),
         "is too long");
  if (value.is_number() && schema.contains("minimum"))
    need(value >= schema["minimum"], "is too small");
  if (value.is_number() && schema.contains("maximum"))
    need(value <= schema["maximum"], "is too large");
  if (value.is_object())
    add(result, members(value, schema, root, where));
  if (value.is_array() && schema.contains("items"))
    for (size_t i = 0; i < value.size(); ++i)
      add(result,
          violations(value[i], schema["items"], root, where + "[" + std::to_string(i) + "]"));
  for (const auto& part : schema.value("allOf", json::array()))
    add(result, violations(value, part, root, where));
  if (schema.contains("anyOf"))
    need(std::ranges::any_of(
             schema["anyOf"],
             [&](const json& x) { return violations(value, x, root, where).empty(); }),
         "fits none of the alternatives");
  return result;
}

} // namespace musetalk::tests
