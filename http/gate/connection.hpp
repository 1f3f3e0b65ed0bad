#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "http/exchange.hpp"
#include "http/gate/body_decoder.hpp"
#include "http/gate/client.hpp"
#include "http/gate/deadlines.hpp"
#include "http/gate/head.hpp"
#include "http/gate/hub.hpp"
#include "http/gate/socket_session.hpp"
#include "http/gate/turn.hpp"
#include "http/gate/write_queue.hpp"

namespace musetalk::http::gate {

class mailbox;

/// One client. Its input is read by one epoll thread, one request after another: nothing is read
/// while a request waits for its answer, so pipelined requests wait in the kernel and are answered
/// in order.
class connection final : public client, public std::enable_shared_from_this<connection> {
public:
  /// On the epoll thread that will read from it.
  /// @param fd Pistache's handle of the socket: read from, never closed here.
  /// @param copy A duplicate of it, ours.
  static std::shared_ptr<connection> make(std::shared_ptr<hub> shared, int fd, unique_fd copy,
                                          std::string remote, std::shared_ptr<mailbox> thread);

  // -- on the connection's epoll thread ------------------------------------------

  /// Reads a slice and does what it brings; wakes itself when there may be more.
  void on_ready(std::span<char> buffer);

  /// Does what other threads asked for by `wake` or `cut`.
  void on_wake(std::span<char> buffer);

  /// Whether Pistache should forget the socket.
  bool closed() const noexcept { return closed_; }

  /// Pistache's handle of the socket.
  int handle() const noexcept { return fd_; }

  /// Ends whatever goes on. Idempotent.
  void close(const error& why, bool reset = false);

  // -- on any thread -------------------------------------------------------------

  /// Calls `on_wake` soon.
  void wake();

  void cut() override;
  void drain() override { wake(); }
  void sweep(time_point now) override;

  /// Queues a whole answer.
  void answer(const std::shared_ptr<turn>& x, response head, std::shared_ptr<unique_fd> file,
              byte_range range);

  /// Queues an error's rendering, without a look at whether there is an answer.
  void answer_error(const std::shared_ptr<turn>& x, const error& what);

  /// Queues the head of a stream, and what it begins with.
  bool begin_stream(const std::shared_ptr<turn>& x, response head);

  /// Queues bytes of a stream, or cuts the client off.
  bool write_stream(const std::shared_ptr<turn>& x, std::string_view bytes);

  void end_stream(const std::shared_ptr<turn>& x);

  /// Turns into a WebSocket as soon as its own thread can.
  /// @throws error with `errc::queue_full` when there are as many as allowed.
  web_socket_ptr upgrade(const std::shared_ptr<turn>& x, web_socket_options options,
                         std::shared_ptr<web_socket_user> user);

  /// Bytes queued and not yet taken by the socket.
  size_t backlog() const noexcept { return out_->backlog(); }

  hub& shared() const noexcept { return *hub_; }

private:
  enum class state { head, body, answering, lingering };
  connection(std::shared_ptr<hub> shared, int fd, std::string remote,
             std::shared_ptr<mailbox> thread);
  // connection.cpp: reading
  void read(std::span<char> buffer);
  size_t read_size(size_t room) const noexcept;
  void consume(std::string_view bytes);
  size_t consume_head(std::string_view bytes);
  size_t consume_body(std::string_view bytes);
  void advance();
  void enter(state what, deadlines::phase wait);
  void enter_lingering();
  void settle();
  void expire();
  // request_flow.cpp: from a head to a handler
  std::shared_ptr<turn> new_turn();
  void begin_turn(message_head head);
  void route_turn(const message_head& head);
  void begin_body(const message_head& head);
  void open_body(const message_head& head);
  void take_payload(std::string_view part);
  void end_body();
  void call_handler(const exchange_ptr& x);
  void refuse(const error& what);
  void abort_body(const error& why) noexcept;
  // answer_flow.cpp: from a handler to the socket
  void send_answer(const std::shared_ptr<turn>& x, std::vector<piece> pieces);
  void sent(const std::shared_ptr<turn>& x);
  void finish(const std::shared_ptr<turn>& x, bool delivered);
  void hand_over(const std::shared_ptr<socket_session>& to);
  const std::shared_ptr<hub> hub_;
  const int fd_;
  const std::string remote_;
  const std::shared_ptr<mailbox> thread_;
  const std::thread::id thread_id_;
  std::shared_ptr<write_queue> out_; ///< Set by `make`.
  deadlines deadlines_;
  std::atomic<bool> cut_{false};
  // Of the epoll thread alone.
  state state_ = state::head;
  bool closed_ = false;
  bool reading_ = false; ///< An answer given meanwhile on this thread needs no wake.
  head_collector head_;
  std::string leftover_; ///< Read, but of the next request.
  std::shared_ptr<turn> turn_;
  std::shared_ptr<const route> route_;
  std::optional<body_decoder> body_;
  std::unique_ptr<body_sink> sink_;
  std::optional<response> refusal_; ///< Ours, sent when a small body was read and thrown away.
  exchange_ptr exchange_;           ///< Until the body is complete.
  uint64_t lingered_ = 0;
  bool fin_sent_ = false;
};

} // namespace musetalk::http::gate
