#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "errors/error.hpp"
#include "http/exchange.hpp"
#include "http/message.hpp"

namespace musetalk::http {

/// Runs on a thread of the gate that serves other clients as well: answers at once, or hands the
/// exchange to somebody. What it throws is the answer: `error` as it is, anything else as
/// `errc::internal`.
using request_handler = std::function<void(exchange_ptr)>;

/// Runs when the head of an upload is there, before its body is asked for (`100 Continue`). May
/// look at the head and throw, as a handler does.
using sink_factory = std::function<std::unique_ptr<body_sink>(exchange_ptr)>;

/// Turns an error into an answer. Must not throw; called on any thread.
/// The request is as complete as it was when the error came up: a malformed head leaves it empty
/// but for `id` and `remote`.
using error_renderer = std::function<response(const error&, const request&)>;

/// What a route allows.
struct route_limits {
  uint64_t max_body_bytes =
      64 * 1024; ///< Beyond: 413, before the body is read where its length is told.
};

/// One entry of the table.
struct route {
  std::string pattern;
  route_limits limits;
  request_handler handle; ///< Empty for uploads.
  sink_factory open_sink; ///< Empty for ordinary routes.
};

/// What the table knows about a path.
struct route_match {
  std::shared_ptr<const route> found;                     ///< Null: see `allow`.
  std::map<std::string, std::string, std::less<>> params; ///< Still percent-encoded.
  std::string allow; ///< `GET, HEAD, OPTIONS`; empty when no method has this path.
};

/// The table of routes: built once, then read by all threads. Matching is Pistache's segment tree.
///
/// The gate answers by itself: `HEAD` through the route of `GET` (body not sent), `OPTIONS` with
/// 204 and `Allow`, `errc::route_not_found`, and `errc::route_method` with `Allow`.
class router {
public:
  router();
  ~router();
  router(router&&) noexcept;
  router& operator=(router&&) noexcept;

  /// Adds a route whose body, if any, is collected in `request::body` first.
  /// @param method `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
  /// @param pattern Segments are literal or `:name`; `/mgmt/v1/avatars/:id`. A literal wins over a
  /// name.
  /// @throws error with `errc::internal` for another method, a malformed pattern, or one given
  /// twice.
  void add(std::string_view method, std::string_view pattern, route_limits limits,
           request_handler handle);

  /// Adds a route whose body goes to a sink of its own.
  void add_upload(std::string_view method, std::string_view pattern, route_limits limits,
                  sink_factory open_sink);

  /// How errors look. Without it, a line of plain text with the public name and a fitting status.
  void on_error(error_renderer render);

  /// The answer to an error; never throws.
  response render(const error& what, const request& in) const noexcept;

  /// Method and pattern of every route.
  std::vector<std::pair<std::string, std::string>> list() const;

  /// @param path As sent, without the query: begins with `/`, no empty segments but a last one.
  route_match find(std::string_view method, std::string_view path) const;

private:
  void insert(std::string_view method, route entry);
  std::vector<std::pair<std::string, std::string>> known_;
  struct tables;
  std::unique_ptr<tables> tables_;
};

} // namespace musetalk::http
