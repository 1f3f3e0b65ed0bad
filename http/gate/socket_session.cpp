// RFC 6455 by Boost.Beast, on the writer thread. The one file that sees it.
#include "http/gate/socket_session.hpp"

#include <cstring>
#include <deque>
#include <optional>
#include <utility>

#include <sys/socket.h>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "errors/error.hpp"
#include "http/gate/hub.hpp"
#include "http/gate/socket_stream.hpp"
#include "http/gate/socket_times.hpp"

namespace musetalk::http::gate {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;

/// A buffer that a large message left behind is let go of.
constexpr size_t kept_buffer_bytes = 16 * 1024;

beast::http::request<beast::http::empty_body> handshake_of(const request& in) {
  auto out = beast::http::request<beast::http::empty_body>{beast::http::verb::get, in.path, 11};
  for (auto& [name, value] : in.headers)
    out.insert(name, value);
  return out;
}

class beast_session final : public socket_session,
                            public socket_watcher,
                            public std::enable_shared_from_this<beast_session> {
public:
  beast_session(std::shared_ptr<hub> shared, std::shared_ptr<turn> x, web_socket_options options,
                std::shared_ptr<web_socket_user> user)
      : hub_(std::move(shared)), turn_(std::move(x)), options_(options), user_(std::move(user)),
        times_(hub_->now()) {}

  // -- any thread ----------------------------------------------------------------

  void start(unique_fd socket, std::string early) override {
    post([this, fd = std::make_shared<unique_fd>(std::move(socket)), early = std::move(early)] {
      begin(*fd, early);
    });
  }

  bool send(message_kind kind, std::string bytes) override {
    std::lock_guard guard{mutex_};
    if (!open_)
      return false;
    if (queued_ > 0 && queued_ + bytes.size() > options_.max_queued_bytes) {
      wants_room_ = true;
      return false;
    }
    queued_ += bytes.size();
    queue_.push_back({kind, std::move(bytes)});
    pump_later();
    return true;
  }

  void close(close_code code, std::string_view reason) override {
    std::lock_guard guard{mutex_};
    if (!std::exchange(open_, false))
      return;
    goodbye_ = websocket::close_reason{static_cast<websocket::close_code>(code),
                                       beast::string_view{reason.data(), reason.size()}};
    pump_later();
  }

  void hold() override { held_ = true; }

  void resume() override {
    if (held_.exchange(false))
      post([this] {
        times_.restart(hub_->now());
        read();
      });
  }

  bool open() const noexcept override {
    std::lock_guard guard{mutex_};
    return open_;
  }

  size_t backlog() const noexcept override {
    std::lock_guard guard{mutex_};
    return queued_;
  }

  void drain() override { close(close_code::going_away, "The server is stopping."); }

  void cut() override {
    post([this] { end(close_code::lost, true); });
  }

  // -- the writer thread ---------------------------------------------------------

  void sweep(time_point now) override {
    if (ended_ || !stream_)
      return;
    auto& bounds = hub_->bounds();
    if ((leaving_ && now - *leaving_ > bounds.linger_timeout) ||
        (writing_since_ && now - *writing_since_ > bounds.write_stall_timeout)) {
      end(close_code::lost, true);
      return;
    }
    if (!reading_ || leaving_)
      return;
    switch (times_.look(now, bounds, options_.idle_timeout)) {
    case socket_times::verdict::fine:
      return;
    case socket_times::verdict::ping:
      ping();
      return;
    case socket_times::verdict::too_slow:
      leave(close_code::policy, "The message came too slowly.");
      return;
    case socket_times::verdict::gone:
      end(close_code::lost, true);
      return;
    }
  }

  void heard(size_t bytes) override { times_.heard(bytes, hub_->now()); }

  void writing(bool now) override {
    if (now)
      writing_since_ = hub_->now();
    else
      writing_since_.reset();
  }

  void said_goodbye() override {
    if (!leaving_)
      leaving_ = hub_->now();
  }

private:
  struct message {
    message_kind kind;
    std::string bytes;
  };

  template <class F>
  void post(F&& what) {
    asio::post(hub_->io, [self = shared_from_this(), what = std::forward<F>(what)] { what(); });
  }

  void begin(unique_fd& fd, const std::string& early) {
    error_code failure;
    auto socket = socket_stream::next_layer_type{hub_->io};
    if (fd)
      socket.assign(asio::ip::tcp::v4(), fd.get(), failure);
    if (!fd || failure || ended_) {
      end(close_code::lost, false);
      return;
    }
    [[maybe_unused]] auto taken = fd.release();
    socket.set_option(asio::ip::tcp::no_delay{true}, failure);
    stream_.emplace(socket_stream{std::move(socket), early, *this});
    stream_->read_message_max(options_.max_message_bytes);
    stream_->auto_fragment(false);
    stream_->set_option(websocket::stream_base::decorator([this](websocket::response_type& answer) {
      answer.set(beast::http::field::server, "musetalkd"); // else Beast names itself
      answer.set("X-Request-Id", turn_->in.id);
    }));
    stream_->control_callback(
        [this](websocket::frame_type, beast::string_view) { times_.whole(); });
    stream_->async_accept(handshake_of(turn_->in), [self = shared_from_this()](error_code failure) {
      self->accepted(failure);
    });
  }

  void accepted(error_code failure) {
    if (failure) {
      end(close_code::lost, false);
      return;
    }
    times_.restart(hub_->now());
    accepted_ = true;
    read();
    pump();
  }

  void read() {
    if (!accepted_ || ended_ || held_ || std::exchange(reading_, true))
      return;
    stream_->async_read(in_, [self = shared_from_this()](error_code failure, size_t) {
      self->reading_ = false;
      if (failure)
        self->end(self->code_of(failure), false);
      else
        self->take();
    });
  }

  /// A message is whole.
  void take() {
    times_.whole();
    auto kind = stream_->got_text() ? message_kind::text : message_kind::binary;
    auto bytes = in_.cdata();
    turn_->bytes_in += bytes.size();
    tell([&](const web_socket_ptr& self) {
      user_->on_message(self, kind, {static_cast<const char*>(bytes.data()), bytes.size()});
    });
    in_.clear();
    if (in_.capacity() > kept_buffer_bytes)
      in_.shrink_to_fit();
    read();
  }

  template <class F>
  void tell(F&& what) {
    if (ended_)
      return;
    try {
      what(shared_from_this());
    } catch (const std::exception&) {
      leave(close_code::failed, "The server failed at this message.");
    }
  }

  /// With the lock held.
  void pump_later() {
    if (!std::exchange(pumping_, true))
      post([this] { pump(); });
  }

  /// Sends the next message, or says goodbye when none is left.
  void pump() {
    // Two may come to it: who accepts, and who was told of a message before.
    if (ended_ || !accepted_ || out_ || goodbye_said_)
      return;
    {
      std::lock_guard guard{mutex_};
      if (queue_.empty()) {
        pumping_ = false;
        if (!goodbye_)
          return;
        pumping_ = true;
      } else {
        out_ = std::move(queue_.front());
        queue_.pop_front();
      }
    }
    if (!out_) {
      say_goodbye();
      return;
    }
    stream_->binary(out_->kind == message_kind::binary);
    stream_->async_write(
        asio::buffer(out_->bytes),
        [self = shared_from_this()](error_code failure, size_t) { self->sent(failure); });
  }

  void sent(error_code failure) {
    auto size = std::exchange(out_, {})->bytes.size();
    turn_->bytes_out += size;
    auto room = false;
    {
      std::lock_guard guard{mutex_};
      queued_ -= size;
      if (queued_ <= options_.max_queued_bytes / 2)
        room = std::exchange(wants_room_, false);
    }
    if (failure) {
      end(code_of(failure), false);
      return;
    }
    if (room)
      tell([&](const web_socket_ptr& self) { user_->on_room(self); });
    pump();
  }

  void say_goodbye() {
    said_goodbye();
    goodbye_said_ = true;
    // One that has had its goodbye from Beast, or from the client, ends by itself.
    if (!stream_->is_open())
      return;
    stream_->async_close(*goodbye_, [self = shared_from_this()](error_code) {
      self->end(static_cast<close_code>(self->goodbye_->code), false);
    });
  }

  /// Says goodbye, and waits no longer for what is queued than for the client to close.
  void leave(close_code code, std::string_view reason) {
    said_goodbye();
    close(code, reason);
  }

  void ping() {
    if (!std::exchange(pinging_, true))
      stream_->async_ping({}, [self = shared_from_this()](error_code) { self->pinging_ = false; });
  }

  close_code code_of(const error_code& failure) const {
    if (failure != websocket::error::closed ||
        stream_->reason().code == websocket::close_code::none)
      return close_code::lost;
    return static_cast<close_code>(stream_->reason().code);
  }

  void end(close_code code, bool reset) {
    if (std::exchange(ended_, true))
      return;
    {
      std::lock_guard guard{mutex_};
      open_ = false;
      queue_.clear();
      queued_ = 0;
    }
    if (stream_) {
      error_code ignored;
      auto& socket = stream_->next_layer().next_layer();
      if (reset)
        socket.set_option(asio::socket_base::linger{true, 0}, ignored);
      socket.close(ignored);
    }
    // Keeps itself until this is over.
    auto self = shared_from_this();
    std::exchange(user_, nullptr)->on_close(code);
    hub_->end_turn(*turn_, code != close_code::lost);
    hub_->remove_socket(self);
  }

  const std::shared_ptr<hub> hub_;
  const std::shared_ptr<turn> turn_;
  const web_socket_options options_;
  mutable std::mutex mutex_;
  std::deque<message> queue_;
  size_t queued_ = 0; ///< Bytes of the queue and of what is being sent.
  bool open_ = true;
  bool wants_room_ = false; ///< A message was refused.
  bool pumping_ = false;    ///< Somebody sends, or will soon.
  std::optional<websocket::close_reason> goodbye_;
  std::atomic<bool> held_{false};
  // Of the writer thread alone.
  std::shared_ptr<web_socket_user> user_;
  std::optional<websocket::stream<socket_stream, false>> stream_;
  beast::flat_buffer in_;
  std::optional<message> out_; ///< What is being sent.
  socket_times times_;
  std::optional<time_point> writing_since_;
  std::optional<time_point> leaving_; ///< Said goodbye.
  bool goodbye_said_ = false;
  bool accepted_ = false;
  bool reading_ = false;
  bool pinging_ = false;
  bool ended_ = false;
};

} // namespace

std::shared_ptr<socket_session> make_socket_session(std::shared_ptr<hub> shared,
                                                    std::shared_ptr<turn> x,
                                                    web_socket_options options,
                                                    std::shared_ptr<web_socket_user> user) {
  if (!shared->reserve_socket())
    throw error(errc::queue_full, std::to_string(shared->bounds().max_sockets) +
                                      " WebSockets are open; that is the limit.");
  return std::make_shared<beast_session>(std::move(shared), std::move(x), options, std::move(user));
}

} // namespace musetalk::http::gate
