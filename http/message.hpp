#pragma once

#include <cstddef>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace musetalk::http {

/// Header fields in the order given; names compare without case.
class header_list {
public:
  using field = std::pair<std::string, std::string>;

  header_list() = default;
  header_list(std::initializer_list<field> fields) : fields_(fields) {}

  /// Appends a field, even when one of that name is there.
  void add(std::string name, std::string value);

  /// Replaces all fields of that name by one.
  void set(std::string name, std::string value);

  /// The value of the first field of that name, or null. Valid until the list changes.
  const std::string* find(std::string_view name) const noexcept;

  /// The value of the first field of that name, or an empty view.
  std::string_view get(std::string_view name) const noexcept;

  /// How many fields have that name.
  size_t count(std::string_view name) const noexcept;

  size_t size() const noexcept { return fields_.size(); }
  auto begin() const noexcept { return fields_.begin(); }
  auto end() const noexcept { return fields_.end(); }

private:
  std::vector<field> fields_;
};

/// Decoded pairs of a query string; a key may come more than once.
using query_map = std::multimap<std::string, std::string, std::less<>>;

/// A request whose head is complete, checked and decoded. Immutable once a handler sees it.
struct request {
  std::string id; ///< `X-Request-Id` of the client when it is `[A-Za-z0-9_.-]{1,64}`, else ours.
  std::string method; ///< As sent; `HEAD` stays `HEAD` though the handler of `GET` answers it.
  std::string path;   ///< Percent-decoded, valid UTF-8, no control characters, no empty segments.
  std::string
      pattern; ///< The route's pattern, such as `/mgmt/v1/avatars/:id`; empty when none matched.
  std::map<std::string, std::string, std::less<>>
      params;      ///< `id` of `:id`; percent-decoded, checked.
  query_map query; ///< Percent-decoded, checked.
  header_list headers;
  std::string remote; ///< `127.0.0.1:40312`.
  std::string body;   ///< The whole body, at most the route's limit; empty for routes with a sink.
  /// The first value of a query key, or an empty view.
  std::string_view query_value(std::string_view key) const noexcept;

  /// A parameter of the path, or an empty view.
  std::string_view param(std::string_view name) const noexcept;
};

/// An answer with its whole body in memory. The gate adds `Content-Length`, `Date`, `X-Request-Id`
/// and, where needed, `Connection`; a handler sets none of them.
struct response {
  int status = 200;
  header_list headers;
  std::string body;
};

/// Compares ASCII text without case.
bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// The standard reason phrase of a status, or an empty view.
std::string_view reason_phrase(int status) noexcept;

} // namespace musetalk::http
