#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "http/gate/deadlines.hpp"
#include "http/message.hpp"
#include "http/server.hpp"

namespace musetalk::http::gate {

class socket_session;

/// One request from its head to the last byte of its answer: what connection and exchange both look
/// at.
class turn {
public:
  explicit turn(time_point now) : began(now) {}

  request in; ///< Immutable once the exchange is handed out.
  const time_point began;
  // Set before the exchange is handed out.
  bool head_only = false; ///< A HEAD request: bodies are not sent.
  bool keep_alive = true; ///< What the client wants.
  int minor = 1;          ///< HTTP/1.`minor`.
  // Set by the connection's thread.
  std::atomic<bool> body_complete{false};
  std::atomic<uint64_t> bytes_in{0};
  // Set by who answers.
  std::atomic<bool> answered{false};    ///< Somebody has taken the duty to answer.
  std::atomic<bool> streaming{false};   ///< The head of a stream has been queued.
  std::atomic<bool> close_after{false}; ///< The connection ends with this answer.
  std::atomic<bool> flushed{false};     ///< All of the answer was handed to the operating system.
  std::mutex stream_mutex;              ///< Keeps the chunks of a stream in order.
  bool stream_open = false;
  std::atomic<int> status{0};
  std::atomic<uint64_t> bytes_out{0};

  /// Ends the turn once; later calls do nothing.
  /// @returns whether this call ended it.
  bool finish(bool delivered) {
    std::vector<std::function<void(bool)>> waiting;
    {
      std::lock_guard guard{mutex_};
      if (over_)
        return false;
      over_ = true;
      delivered_ = delivered;
      waiting.swap(on_close_);
    }
    for (auto& x : waiting)
      x(delivered);
    return true;
  }

  void on_close(std::function<void(bool)> done) {
    {
      std::lock_guard guard{mutex_};
      if (!over_) {
        on_close_.push_back(std::move(done));
        return;
      }
    }
    done(delivered_);
  }

  /// The socket that the connection shall become; taken once.
  void put_socket(std::shared_ptr<socket_session> x) {
    std::lock_guard guard{mutex_};
    socket_ = std::move(x);
  }
  std::shared_ptr<socket_session> take_socket() {
    std::lock_guard guard{mutex_};
    return std::exchange(socket_, nullptr);
  }

  bool over() const noexcept {
    std::lock_guard guard{mutex_};
    return over_;
  }

private:
  mutable std::mutex mutex_;
  bool over_ = false;
  bool delivered_ = false;
  std::vector<std::function<void(bool)>> on_close_;
  std::shared_ptr<socket_session> socket_;
};

} // namespace musetalk::http::gate
