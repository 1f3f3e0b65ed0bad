#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "errors/error.hpp"
#include "http/message.hpp"
#include "http/web_socket.hpp"

namespace musetalk::http {

/// An answer that grows while it is sent, such as server-sent events. Every call may come from any
/// thread.
class stream {
public:
  virtual ~stream() = default;

  /// Queues bytes and returns at once.
  /// @returns false when nothing was queued and the stream is over: the client went away, the
  /// stream has
  ///   ended, or the queue would pass `limits::stream_queue_bytes` (a slow client is cut off).
  virtual bool write(std::string_view bytes) = 0;

  /// Ends the answer properly once the queue is sent. Further calls do nothing.
  virtual void end() = 0;

  /// Whether bytes can still be queued.
  virtual bool open() const noexcept = 0;

  /// Queued bytes that the client's socket has not taken: who has more to say that can wait, waits
  /// until there are none.
  virtual size_t backlog() const noexcept = 0;
};

/// One request and the duty to answer it. Every call may come from any thread at any time later.
///
/// Answered at most once: the first of `respond`, `respond_file`, `fail`, `start_stream` and
/// `upgrade` counts, later ones return false (or null). An answer after the client went away is
/// dropped silently. The last reference let go without an answer answers `errc::internal`, so that
/// no client waits for ever.
class exchange {
public:
  virtual ~exchange() = default;

  /// Immutable, lives as long as the exchange.
  virtual const request& in() const noexcept = 0;

  /// Answers with a body in memory. For `HEAD` the body is measured and not sent.
  /// @returns whether this call was the answer. It says nothing about the client having got it.
  virtual bool respond(response answer) = 0;

  /// Answers with a file: 200, 206 for one satisfiable `Range`, 304 when `If-None-Match` or
  /// `If-Modified-Since` allows it, 416. `ETag` and `Last-Modified` come from the file unless
  /// `head` has them; status and body of `head` are ignored. The file is opened and measured here,
  /// and sent by the gate's writer; it must not shrink meanwhile, or the connection is cut.
  /// @param path Trusted: made by us, never from a request unchecked. A link as its last part is
  /// refused.
  /// @throws error with `errc::storage_failed` when it is no readable plain file; nothing is
  /// answered then.
  virtual bool respond_file(response head, const std::filesystem::path& path) = 0;

  /// Answers with the rendering of an error (`router::on_error`).
  virtual bool fail(const error& what) = 0;

  /// Sends the head now and leaves the body open. The body of `head` is sent first.
  /// @returns null when the exchange was answered before, or the client is gone.
  virtual std::shared_ptr<stream> start_stream(response head) = 0;

  /// Answers by turning the connection into a WebSocket; the exchange is over when that is.
  /// @returns null when the exchange was answered before. Messages sent at once are the first that
  /// the client gets.
  /// @throws error with `errc::upgrade_required` or `errc::request_malformed` when the request asks
  /// for none, `errc::queue_full` when there are too many; nothing is answered then.
  virtual web_socket_ptr upgrade(web_socket_options options,
                                 std::shared_ptr<web_socket_user> user) = 0;

  /// Calls `done` once when the exchange is over: with true when all of the answer was handed to
  /// the operating system, with false when the connection ended before. Runs on a thread of the
  /// gate, or at once in the caller's when it is over already; must neither block nor throw. A
  /// client that leaves is noticed while a request body or a stream is open; a client that waits
  /// for an ordinary answer and leaves is noticed when the answer is sent.
  virtual void on_close(std::function<void(bool delivered)> done) = 0;

  /// Whether the connection is gone or the answer has been sent.
  virtual bool closed() const noexcept = 0;
};

using exchange_ptr = std::shared_ptr<exchange>;

/// Takes a request body as it arrives. All calls come one after another on one thread of the gate,
/// which serves other clients as well: a write may take a disk write, not a wait for somebody.
///
/// Exactly one of `finish` and `abort` ends it, also when `write` throws (then `abort` follows with
/// the same error). What `write` or `finish` throws is the answer, unless there was one: `error` as
/// it is, anything else as `errc::internal`. The rest of the body is then read and thrown away
/// within limits, so that a client still sending sees the answer. Answering early through the
/// exchange works the same way.
class body_sink {
public:
  virtual ~body_sink() = default;

  /// The next bytes, at most 256 KiB; valid during the call only.
  virtual void write(std::span<const std::byte> bytes) = 0;

  /// The body is complete. The exchange may be answered here or any time later.
  virtual void finish() = 0;

  /// The body will not be complete: `request_aborted` (client gone, or the server ends),
  /// `request_timeout`, `request_too_large`, `request_malformed`, `cancelled` (somebody answered
  /// before the end), or what `write` threw. The gate answers by itself where there is still
  /// somebody to answer.
  virtual void abort(const error& why) noexcept = 0;
};

} // namespace musetalk::http
