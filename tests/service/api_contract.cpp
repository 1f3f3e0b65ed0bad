#include "tests/service/api_contract.hpp"

#include "tests/http/json_schema.hpp"

#include <algorithm>

namespace musetalk::tests {

namespace {

using nlohmann::json;

std::vector<std::string> segments(std::string_view path) {
  auto result = std::vector<std::string>{};
  while (!path.empty()) {
    auto end = std::min(path.find('/'), path.size());
    result.emplace_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return result;
}

/// How many segments are literally the same; -1 when the path is another.
int closeness(const std::string& pattern, const std::string& path) {
  auto a = segments(pattern);
  auto b = segments(path);
  auto same = 0;
  for (size_t i = 0; i < a.size() && i < b.size(); ++i)
    if (a[i] == b[i])
      ++same;
    else if (!a[i].starts_with('{') || b[i].empty())
      return -1;
  return a.size() == b.size() ? same : -1;
}

} // namespace

const json* api_contract::path_of(const std::string& path) const {
  const json* best = nullptr;
  auto closest = -1;
  for (const auto& [pattern, methods] : document_.at("paths").items())
    if (auto x = closeness(pattern, path); x > closest) {
      closest = x;
      best = &methods;
    }
  return best;
}

std::vector<std::string> api_contract::faults_of(const httplib::Request& in,
                                                 const httplib::Response& out) const {
  auto path = in.path.substr(0, in.path.find('?'));
  const auto* methods = path_of(path);
  auto method = in.method;
  std::ranges::transform(method, method.begin(), [](unsigned char c) { return std::tolower(c); });
  if (!methods || !methods->contains(method))
    return {};
  const auto& answers = methods->at(method).at("responses");
  auto status = std::to_string(out.status);
  if (!answers.contains(status))
    return {"status " + status + " is not documented: " + out.body.substr(0, 200)};
  const auto& answer = answers.at(status);
  auto type = out.get_header_value("Content-Type");
  type = type.substr(0, type.find(';'));
  auto known = answer.value("content", json::object());
  if (known.empty() && out.body.empty())
    return {};
  if (!known.contains(type))
    return {"a body of type '" + type + "' is not documented for " + status};
  if (!known[type].contains("schema"))
    return {};
  auto body = json::parse(out.body, nullptr, false);
  if (body.is_discarded())
    return {"the body is no JSON"};
  return violations(body, known[type]["schema"], document_);
}

} // namespace musetalk::tests
