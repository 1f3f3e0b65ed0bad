#include "http/router.hpp"

#include <array>
#include <cstring>

#include <pistache/router.h>

namespace musetalk::http {
namespace {

using segment_tree = Pistache::Rest::SegmentTreeNode;

constexpr std::array<std::string_view, 5> methods{"GET", "POST", "PUT", "PATCH", "DELETE"};

/// What a leaf of Pistache's tree carries. It is never called: the gate finds it and takes the
/// route out.
struct leaf {
  std::shared_ptr<const route> entry;
  Pistache::Rest::Route::Result operator()(const Pistache::Rest::Request&,
                                           Pistache::Http::ResponseWriter) const {
    return Pistache::Rest::Route::Result::Failure;
  }
};

/// The path as the tree wants it: no slash at either end.
std::string_view inner_path(std::string_view path) {
  path.remove_prefix(path.starts_with('/') ? 1 : 0);
  path.remove_suffix(path.ends_with('/') ? 1 : 0);
  return path;
}

bool is_pattern(std::string_view pattern) {
  auto inner = inner_path(pattern);
  return pattern.starts_with('/') && pattern.find("//") == pattern.npos &&
         inner.find_first_of("*?%# ") == inner.npos && !inner.ends_with(':') &&
         inner.find(":/") == inner.npos;
}

response plain_text(const error& what) {
  auto status = 500;
  switch (what.code()) {
  case errc::request_malformed:
    status = 400;
    break;
  case errc::request_too_large:
    status = 413;
    break;
  case errc::request_media_type:
    status = 415;
    break;
  case errc::request_timeout:
    status = 408;
    break;
  case errc::route_not_found:
    status = 404;
    break;
  case errc::route_method:
    status = 405;
    break;
  case errc::upgrade_required:
    status = 426;
    break;
  case errc::stopping:
    status = 503;
    break;
  default:
    break;
  }
  auto text = std::string{to_string(what.code())} + ": " + what.detail() + "\n";
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(text)};
}

} // namespace

struct router::tables {
  std::map<std::string_view, segment_tree> by_method;
  std::map<std::string_view, std::shared_ptr<const route>> roots;
  error_renderer render;
};

router::router() : tables_(std::make_unique<tables>()) {
  for (auto method : methods)
    tables_->by_method[method];
}

router::~router() = default;
router::router(router&&) noexcept = default;
router& router::operator=(router&&) noexcept = default;

void router::add(std::string_view method, std::string_view pattern, route_limits limits,
                 request_handler handle) {
  insert(method, {std::string{pattern}, limits, std::move(handle), {}});
}

void router::add_upload(std::string_view method, std::string_view pattern, route_limits limits,
                        sink_factory open_sink) {
  insert(method, {std::string{pattern}, limits, {}, std::move(open_sink)});
}

void router::on_error(error_renderer render) {
  tables_->render = std::move(render);
}

response router::render(const error& what, const request& in) const noexcept {
  try {
    return tables_->render ? tables_->render(what, in) : plain_text(what);
  } catch (...) {
    return {500, {}, {}};
  }
}

void router::insert(std::string_view method, route entry) {
  auto table = tables_->by_method.find(method);
  if (table == tables_->by_method.end() || !is_pattern(entry.pattern))
    throw error(errc::internal, "A route is malformed.", std::string{method} + " " + entry.pattern);
  known_.emplace_back(method, entry.pattern);
  auto known = std::make_shared<const route>(std::move(entry));
  auto path = inner_path(known->pattern);
  try {
    if (path.empty()) {
      if (!tables_->roots.emplace(table->first, known).second)
        throw std::runtime_error("given twice");
      return;
    }
    // The tree keeps views of the path: it shares ownership of this copy.
    auto text = std::shared_ptr<char>(new char[path.size()], std::default_delete<char[]>{});
    std::memcpy(text.get(), path.data(), path.size());
    table->second.addRoute(std::string_view{text.get(), path.size()}, leaf{known}, text);
  } catch (const std::exception& cause) {
    throw error(errc::internal, "A route cannot be added.",
                std::string{method} + " " + known->pattern + ": " + cause.what());
  }
}

std::vector<std::pair<std::string, std::string>> router::list() const {
  return known_;
}

route_match router::find(std::string_view method, std::string_view path) const {
  auto inner = inner_path(path);
  auto look = [&](std::string_view wanted) -> route_match {
    auto table = tables_->by_method.find(wanted);
    if (table == tables_->by_method.end())
      return {};
    if (inner.empty()) {
      auto root = tables_->roots.find(wanted);
      return {root == tables_->roots.end() ? nullptr : root->second, {}, {}};
    }
    auto [found, params, splats] = table->second.findRoute(inner);
    auto end = found ? found->handler_.target<leaf>() : nullptr;
    if (!end)
      return {};
    route_match out{end->entry, {}, {}};
    for (auto& x : params)
      out.params.emplace(x.name().substr(1), x.as<std::string>());
    return out;
  };
  auto out = look(method == "HEAD" ? "GET" : method);
  if (out.found)
    return out;
  for (auto candidate : methods)
    if (look(candidate).found)
      out.allow += std::string{candidate} + (candidate == "GET" ? ", HEAD, " : ", ");
  if (!out.allow.empty())
    out.allow += "OPTIONS";
  return out;
}

} // namespace musetalk::http
