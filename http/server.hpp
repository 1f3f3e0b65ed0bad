#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "http/gate/limits.hpp"
#include "http/router.hpp"

namespace musetalk::http {

/// What happened to one request, for the log and the metrics.
struct access_record {
  std::string request_id;
  std::string remote;
  std::string method;
  std::string pattern; ///< Route pattern, empty when none matched. A metric label of few values.
  std::string path;
  int status = 0;
  uint64_t bytes_in = 0;  ///< Of the body.
  uint64_t bytes_out = 0; ///< Head and body, as queued.
  std::chrono::microseconds took{0};
  bool delivered = false; ///< All of it was handed to the operating system.
};

struct server_options {
  std::string host = "127.0.0.1"; ///< An IPv4 or IPv6 address; no names.
  uint16_t port = 9000;           ///< 0: any free one.
  size_t threads = 2;             ///< That read and run handlers.
  gate::limits limits;
  std::function<void(const access_record&)>
      on_access; ///< Any thread of the gate; must not block or throw.
  /// The clock of all time-outs; tests inject their own.
  std::function<std::chrono::steady_clock::time_point()> now;
};

/// Raises the soft limit of open files to the hard one.
/// @returns the limit now in force.
size_t raise_open_file_limit() noexcept;

/// An HTTP/1.1 server: Pistache listens, accepts and polls; the gate does the rest.
class http_server {
public:
  /// Raises the limit of open files; a connection takes two.
  http_server(server_options options, router routes);

  /// Drains with no time-out left when the caller has not.
  ~http_server();
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  /// Starts to serve.
  /// @returns the bound port.
  /// @throws error with `errc::settings_invalid` when the address cannot be bound.
  uint16_t listen();

  /// Stops in order: new requests are answered `errc::stopping`, idle connections close, streams
  /// end, and requests in flight are answered. Blocks until all is done or `timeout` is over, then
  /// cuts the rest. Not from a thread of the gate. A second call does nothing.
  /// @returns how many requests were cut.
  size_t drain(std::chrono::milliseconds timeout);

  /// Open connections now.
  size_t connections() const noexcept;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace musetalk::http
