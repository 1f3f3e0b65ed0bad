#include "http/api/document.hpp"

#include "http/problem.hpp"

#include <algorithm>
#include <map>

namespace musetalk::http::api {

namespace {

std::string lowered(std::string_view method) {
  auto result = std::string{method};
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

json header_of(std::string_view name) {
  static const auto meanings = std::map<std::string_view, std::string_view>{
      {"ETag", "Tells this state from others, for `If-Match`."},
      {"Location", "Of the job, or of the avatar that was made."},
      {"Archive-Bytes", "Size of the whole archive: fewer bytes are a broken one."},
      {"Idempotency-Replayed", "`true` when an equal request had its effect before."},
      {"Preference-Applied", "`wait` when the header `Prefer` was heard."},
      {"Retry-After", "Seconds after which it makes sense to try again."},
      {"Allow", "The methods that the path takes."}};
  return {{"description", meanings.at(name)}, {"schema", text()}};
}

json content_of(const std::vector<content>& forms) {
  auto result = json::object();
  for (const auto& x : forms) {
    auto& media = result[std::string{x.type}] = json::object();
    if (!x.what.is_null())
      media["schema"] = x.what;
  }
  return result;
}

json answer_of(const answer& x) {
  auto result = json{{"description", x.meaning}};
  for (auto name : x.headers)
    result["headers"][std::string{name}] = header_of(name);
  if (!x.body.type.empty())
    result["content"] = content_of({x.body});
  return result;
}

/// All errors of one status.
json problem_answer(const std::vector<errc>& codes) {
  auto names = json::array();
  auto meaning = std::string{};
  auto retry = false;
  for (auto code : codes) {
    names.push_back(to_string(code));
    meaning += (meaning.empty() ? "" : "; ") + std::string{problem_of(code).title};
    retry |= problem_of(code).retry_after_s > 0;
  }
  auto narrowed = json{{"properties", {{"code", {{"enum", std::move(names)}}}}}};
  auto result = json{{"description", meaning + "."}};
  if (retry)
    result["headers"]["Retry-After"] = header_of("Retry-After");
  result["content"]["application/problem+json"]["schema"]["allOf"] = {named("Problem"),
                                                                      std::move(narrowed)};
  return result;
}

json responses_of(const call& x) {
  auto by_status = std::map<int, json>{};
  for (const auto& good : x.answers)
    by_status[good.status] = answer_of(good);
  auto codes = std::map<int, std::vector<errc>>{};
  for (const auto* some : {&common_errors(), &x.errors})
    for (auto code : *some)
      if (auto& those = codes[problem_of(code).status];
          std::ranges::find(those, code) == those.end())
        those.push_back(code);
  for (const auto& [status, those] : codes)
    by_status[status] = problem_answer(those);
  auto result = json::object();
  for (auto& [status, what] : by_status)
    result[std::to_string(status)] = std::move(what);
  return result;
}

json parameter_of(std::string_view name, std::string_view place, json what, bool required) {
  auto result = json{{"name", name}, {"in", place}, {"required", required}};
  if (what.contains("description")) {
    result["description"] = what["description"];
    what.erase("description");
  }
  result["schema"] = std::move(what);
  return result;
}

json parameters_of(const call& x) {
  auto result = json::array();
  for (const auto& name : names_in(x.path))
    result.push_back(parameter_of(name, "path", text(), true));
  for (const auto& one : x.parameters)
    result.push_back(parameter_of(
        one.name, one.where == parameter::place::query ? "query" : "header", one.what, false));
  return result;
}

json operation_of(const call& x) {
  auto result = json{{"operationId", x.id}, {"tags", {x.tag}}, {"summary", x.summary}};
  if (auto parameters = parameters_of(x); !parameters.empty())
    result["parameters"] = std::move(parameters);
  if (!x.body.empty())
    result["requestBody"] = {{"required", true}, {"content", content_of(x.body)}};
  result["responses"] = responses_of(x);
  return result;
}

} // namespace

std::vector<std::string> names_in(std::string_view pattern) {
  auto result = std::vector<std::string>{};
  for (auto at = pattern.find("/:"); at != pattern.npos; at = pattern.find("/:", at + 1)) {
    auto end = std::min(pattern.find('/', at + 1), pattern.size());
    result.emplace_back(pattern.substr(at + 2, end - at - 2));
  }
  return result;
}

std::string template_of(std::string_view pattern) {
  auto result = std::string{pattern};
  for (const auto& name : names_in(pattern))
    result.replace(result.find("/:" + name), name.size() + 2, "/{" + name + "}");
  return result;
}

json openapi_document(std::string_view version) {
  auto result = json{
      {"openapi", "3.1.0"},
      {"info",
       {{"title", "musetalkd"},
        {"version", version},
        {"description", "Avatars for MuseTalk: a video goes in, an avatar folder comes out. HEAD "
                        "works where GET does; OPTIONS answers with Allow. WebSocket and "
                        "server-sent events are described at /asyncapi.json."},
        {"license", {{"name", "MIT"}, {"identifier", "MIT"}}}}},
      {"servers", {{{"url", "/"}}}}};
  for (const auto& x : all_calls())
    result["paths"][template_of(x.path)][lowered(x.method)] = operation_of(x);
  result["components"]["schemas"] = shapes();
  return result;
}

} // namespace musetalk::http::api
