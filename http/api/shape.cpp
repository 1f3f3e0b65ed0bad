#include "http/api/shape.hpp"

#include <utility>

namespace musetalk::http::api {

namespace {

shape typed(std::string_view type, std::string_view meaning) {
  auto result = shape{{"type", type}};
  if (!meaning.empty())
    result["description"] = meaning;
  return result;
}

} // namespace

shape text(std::string_view meaning) {
  return typed("string", meaning);
}

shape whole(std::string_view meaning) {
  return typed("integer", meaning);
}

shape number(std::string_view meaning) {
  return typed("number", meaning);
}

shape yes_no(std::string_view meaning) {
  return typed("boolean", meaning);
}

shape time(std::string_view meaning) {
  auto result = text(meaning);
  result["format"] = "date-time";
  return result;
}

shape words(std::initializer_list<std::string_view> choices, std::string_view meaning) {
  auto result = text(meaning);
  result["enum"] = choices;
  return result;
}

shape or_null(shape x) {
  if (x.contains("$ref"))
    return {{"anyOf", {std::move(x), {{"type", "null"}}}}};
  x["type"] = {x["type"], "null"};
  if (x.contains("enum"))
    x["enum"].push_back(nullptr);
  return x;
}

shape list(shape items, std::string_view meaning) {
  auto result = typed("array", meaning);
  result["items"] = std::move(items);
  return result;
}

shape map_of(shape values, std::string_view meaning) {
  auto result = typed("object", meaning);
  result["additionalProperties"] = std::move(values);
  return result;
}

shape named(std::string_view name) {
  return {{"$ref", "#/components/schemas/" + std::string{name}}};
}

member maybe(std::string_view name, shape what) {
  return {name, std::move(what), true};
}

shape object(std::initializer_list<member> members, std::string_view meaning) {
  auto result = typed("object", meaning);
  result["properties"] = shape::object();
  result["required"] = shape::array();
  result["additionalProperties"] = false;
  return with(std::move(result), members);
}

shape with(shape base, std::initializer_list<member> members) {
  for (const auto& x : members) {
    base["properties"][std::string{x.name}] = x.what;
    if (!x.optional)
      base["required"].push_back(x.name);
  }
  return base;
}

} // namespace musetalk::http::api
