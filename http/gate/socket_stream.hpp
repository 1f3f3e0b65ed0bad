#pragma once

// What Boost.Beast reads and writes: a socket whose first bytes the gate has read already, and that
// notes when bytes move. Only socket_session.cpp includes this: Beast is costly to compile.

#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/websocket/teardown.hpp>

namespace musetalk::http::gate {

/// Told by a `socket_stream` of what moves.
class socket_watcher {
public:
  virtual void heard(size_t bytes) = 0;
  virtual void writing(bool now) = 0; ///< Bytes wait for the client, or have been taken.
  virtual void said_goodbye() = 0;    ///< What remains is to wait for the client to close.

protected:
  ~socket_watcher() = default;
};

/// An AsyncStream (Boost.Beast). On the thread of its io_context only.
class socket_stream {
public:
  using executor_type = boost::asio::io_context::executor_type;
  using next_layer_type = boost::asio::basic_stream_socket<boost::asio::ip::tcp, executor_type>;
  using error_code = boost::system::error_code;

  /// @param early What was read of it before. @param watcher Outlives the stream.
  socket_stream(next_layer_type socket, std::string early, socket_watcher& watcher)
      : socket_(std::move(socket)), early_(std::move(early)), watcher_(watcher) {}

  executor_type get_executor() noexcept { return socket_.get_executor(); }
  next_layer_type& next_layer() noexcept { return socket_; }
  const next_layer_type& next_layer() const noexcept { return socket_; }
  socket_watcher& watcher() noexcept { return watcher_; }

  template <class Buffers, class Handler>
  void async_read_some(const Buffers& to, Handler&& handler) {
    if (early_.empty()) {
      socket_.async_read_some(
          to, noting<std::decay_t<Handler>>{std::forward<Handler>(handler), this, true});
      return;
    }
    auto size = boost::asio::buffer_copy(to, boost::asio::buffer(early_));
    early_.erase(0, size);
    watcher_.heard(size);
    boost::asio::post(get_executor(), boost::beast::bind_front_handler(
                                          std::forward<Handler>(handler), error_code{}, size));
  }

  template <class Buffers, class Handler>
  void async_write_some(const Buffers& from, Handler&& handler) {
    watcher_.writing(true);
    socket_.async_write_some(
        from, noting<std::decay_t<Handler>>{std::forward<Handler>(handler), this, false});
  }

private:
  /// Notes, then goes on with Beast's own handler.
  template <class Handler>
  struct noting {
    Handler next;
    socket_stream* stream;
    bool read;
    void operator()(error_code failure, size_t bytes) {
      if (read)
        stream->watcher_.heard(bytes);
      else
        stream->watcher_.writing(false);
      next(failure, bytes);
    }
  };
  next_layer_type socket_;
  std::string early_;
  socket_watcher& watcher_;
};

/// Found by Beast: how a socket ends after the last frame.
template <class Handler>
void async_teardown(boost::beast::role_type role, socket_stream& stream, Handler&& handler) {
  stream.watcher().said_goodbye();
  boost::beast::websocket::async_teardown(role, stream.next_layer(),
                                          std::forward<Handler>(handler));
}

} // namespace musetalk::http::gate
