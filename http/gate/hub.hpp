#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "http/gate/client.hpp"
#include "http/gate/deadlines.hpp"
#include "http/router.hpp"
#include "http/server.hpp"

namespace musetalk::http::gate {

class mailbox;
class turn;

/// What all connections of a server share. Outlives the server while somebody holds an exchange.
class hub {
public:
  hub(server_options options, router routes);

  const server_options options;
  const router routes;
  boost::asio::io_context io{1};     ///< Run by the server's writer thread.
  std::atomic<bool> draining{false}; ///< Answers end their connections.

  time_point now() const { return options.now(); }
  const limits& bounds() const noexcept { return options.limits; }

  /// A request id nobody else has.
  std::string next_request_id();

  /// @returns false when there are as many as allowed; then nothing was added.
  bool add(std::shared_ptr<client> x);
  void remove(const std::shared_ptr<client>& x);

  /// One connection has become another.
  void replace(const std::shared_ptr<client>& x, std::shared_ptr<client> by);
  std::vector<std::shared_ptr<client>> connections() const;
  size_t connection_count() const noexcept;

  /// @returns false when as many are WebSockets as may be. Else somebody calls `remove_socket`.
  bool reserve_socket() noexcept;
  void remove_socket(const std::shared_ptr<client>& x);

  /// Adds an epoll thread.
  void add(const std::shared_ptr<mailbox>& x);

  /// Looks at all time-outs, and lets every epoll thread look after its queues.
  void sweep();

  void turn_began() noexcept { ++turns_; }
  void turn_ended();

  /// Ends a turn, and reports it, unless that was done before.
  void end_turn(turn& x, bool delivered);
  size_t turns() const noexcept { return turns_; }

  /// Blocks until no request is in flight, or no connection is left.
  bool wait_for_turns(std::chrono::steady_clock::time_point until);
  bool wait_for_connections(std::chrono::steady_clock::time_point until);

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_set<std::shared_ptr<client>> connections_;
  std::vector<std::weak_ptr<mailbox>> threads_;
  std::atomic<size_t> turns_{0};
  std::atomic<size_t> sockets_{0};
  std::atomic<uint64_t> request_number_{0};
  uint64_t request_prefix_;
};

} // namespace musetalk::http::gate
