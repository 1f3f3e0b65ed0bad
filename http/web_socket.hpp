#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace musetalk::http {

/// What a WebSocket message holds.
enum class message_kind { text, binary };

/// Why a WebSocket ends (RFC 6455 7.4.1).
enum class close_code : uint16_t {
  normal = 1000,
  going_away = 1001, ///< The server stops.
  lost = 1006,       ///< Never sent: the connection ended without a word.
  policy = 1008,     ///< The client breaks our rules.
  failed = 1011,     ///< Our fault.
  try_again = 1013,  ///< The client reads too slowly; it may come back.
};

/// What one WebSocket may cost.
struct web_socket_options {
  size_t max_message_bytes = 16 * 1024; ///< Of one from the client; beyond, closed with 1009.
  size_t max_queued_bytes = 256 * 1024; ///< Of messages that the client has not taken.
  /// Without a sign of life: at half of it a ping is sent, then the client is cut off.
  std::chrono::milliseconds idle_timeout{60'000};
};

/// A WebSocket (RFC 6455), without compression. Every call may come from any thread.
class web_socket {
public:
  virtual ~web_socket() = default;

  /// Queues a message and returns at once. Messages arrive in the order of the calls.
  /// @returns false when nothing was queued: the socket ends, or its queue has no room. Then
  /// `on_room` tells when half of it is free. An empty queue takes a message of any size.
  virtual bool send(message_kind kind, std::string bytes) = 0;

  /// Ends the socket properly once the queue is sent. Nothing is queued from now on; further calls
  /// do nothing.
  /// @param reason For people, at most 123 bytes.
  virtual void close(close_code code, std::string_view reason) = 0;

  /// While it is held, no message of the client is read: it feels that we cannot keep up. The one
  /// that is being handled stays the last until `resume`.
  virtual void hold() = 0;
  virtual void resume() = 0;

  /// Whether messages can still be queued.
  virtual bool open() const noexcept = 0;

  /// Queued bytes that the client has not taken.
  virtual size_t backlog() const noexcept = 0;
};

using web_socket_ptr = std::shared_ptr<web_socket>;

/// Who talks over a WebSocket. The calls come one after another on a thread of the gate that serves
/// other clients as well: they must not block. What they throw closes the socket with
/// `close_code::failed`.
class web_socket_user {
public:
  virtual ~web_socket_user() = default;

  /// A whole message; text is valid UTF-8. `bytes` lives during the call only.
  virtual void on_message(const web_socket_ptr& from, message_kind kind,
                          std::string_view bytes) = 0;

  /// After a refused `send`: there is room again.
  virtual void on_room(const web_socket_ptr& /*at*/) {}

  /// The last call: nothing comes and nothing goes any more.
  /// @param code The client's, ours, or `lost`.
  virtual void on_close(close_code /*code*/) noexcept {}
};

} // namespace musetalk::http
