#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>

#include "http/gate/byte_range.hpp"
#include "http/gate/deadlines.hpp"
#include "http/gate/unique_fd.hpp"

namespace musetalk::http::gate {

/// Bytes to send: text, or a range of a file.
struct piece {
  std::string text;
  std::shared_ptr<unique_fd> file; ///< Null for text.
  byte_range range;
};

/// Sends what it is given, in order, over a socket of its own.
///
/// A first try is made in the caller's thread; what the socket does not take waits for Boost.Asio,
/// so a slow reader costs a queue and no thread. Files are read in slices and only on Asio's
/// thread. Every call may come from any thread; callbacks run without a lock held, on the caller's
/// or on Asio's thread.
class write_queue : public std::enable_shared_from_this<write_queue> {
public:
  using clock = std::function<time_point()>;

  /// @param socket Non-blocking, and nobody else's: a duplicate of the accepted one.
  /// @param failed Called once when the client cannot be written to any more.
  write_queue(boost::asio::io_context& io, unique_fd socket, clock now,
              std::function<void()> failed);

  /// Queues pieces; the queue takes them all, whatever their size.
  /// @param sent Called once when all of them were handed to the operating system; never after a
  /// failure
  ///   or `close`.
  /// @returns false when the queue is closed or failed.
  bool send(std::vector<piece> pieces, std::function<void()> sent);

  /// Queues text only while the queue stays within `max_queued_bytes`.
  bool send_bounded(std::string text, size_t max_queued_bytes);

  /// Bytes of text that wait for the socket.
  size_t backlog() const noexcept;

  /// Whether the client has taken nothing for longer than `limit`.
  bool stalled(time_point now, std::chrono::milliseconds limit) const noexcept;

  /// Gives the socket away, and queues nothing more.
  /// @returns none when the queue is not empty, or closed.
  unique_fd release() noexcept;

  /// Sends FIN; the client sees the end of our bytes.
  void shut_write() noexcept;

  /// Closes the socket and forgets what is queued. With `reset` the kernel forgets it as well.
  void close(bool reset = false) noexcept;

private:
  struct entry {
    piece what;
    size_t offset = 0; ///< Of `what.text` already sent.
    std::function<void()> sent;
  };
  enum class progress { drained, blocked, again, failed };
  using callbacks = std::vector<std::function<void()>>;
  void run(bool on_io_thread);
  progress pump(bool on_io_thread, callbacks& done);
  progress refill(entry& next);
  void wait();
  void post();
  boost::asio::io_context& io_;
  clock now_;
  std::function<void()> failed_;
  mutable std::mutex mutex_;
  unique_fd fd_;
  std::deque<entry> queue_;
  size_t queued_ = 0;   ///< Bytes of text not sent yet.
  bool busy_ = false;   ///< Somebody pumps, or waits for the socket.
  bool closed_ = false; ///< Closed or failed.
  boost::asio::generic::stream_protocol::socket waiter_;
  std::atomic<int64_t> last_progress_{0};
  std::atomic<bool> pending_{false};
};

} // namespace musetalk::http::gate
