#include "http/gate/write_queue.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>

#include <boost/asio/post.hpp>

namespace musetalk::http::gate {
namespace {

/// Sent in one go before others get their turn, and read from a file at once.
constexpr size_t slice_bytes = 256 * 1024;

} // namespace

write_queue::write_queue(boost::asio::io_context& io, unique_fd socket, clock now,
                         std::function<void()> failed)
    : io_(io), now_(std::move(now)), failed_(std::move(failed)), fd_(std::move(socket)),
      waiter_(io) {}

bool write_queue::send(std::vector<piece> pieces, std::function<void()> sent) {
  {
    std::lock_guard guard{mutex_};
    if (closed_)
      return false;
    for (auto& x : pieces) {
      queued_ += x.text.size();
      queue_.push_back({std::move(x), 0, {}});
    }
    if (queue_.empty())
      queue_.push_back({});
    queue_.back().sent = std::move(sent);
    if (std::exchange(busy_, true))
      return true;
    last_progress_ = now_().time_since_epoch().count();
    pending_ = true;
  }
  run(false);
  return true;
}

bool write_queue::send_bounded(std::string text, size_t max_queued_bytes) {
  {
    std::lock_guard guard{mutex_};
    if (closed_ || queued_ + text.size() > max_queued_bytes)
      return false;
  }
  std::vector<piece> pieces(1);
  pieces.front().text = std::move(text);
  return send(std::move(pieces), {});
}

size_t write_queue::backlog() const noexcept {
  std::lock_guard guard{mutex_};
  return queued_;
}

/// Whoever sets `busy_` runs this; it stays set until the queue is empty or closed.
void write_queue::run(bool on_io_thread) {
  callbacks done;
  auto state = progress::drained;
  {
    std::lock_guard guard{mutex_};
    state = pump(on_io_thread, done);
    if (state == progress::blocked) {
      wait();
    } else if (state == progress::again) {
      post();
    } else {
      busy_ = pending_ = false;
      if (state == progress::failed) {
        closed_ = true;
        queue_.clear();
        queued_ = 0;
      }
    }
  }
  for (auto& x : done)
    x();
  if (state == progress::failed)
    failed_();
}

write_queue::progress write_queue::pump(bool on_io_thread, callbacks& done) {
  auto budget = slice_bytes;
  while (!closed_ && !queue_.empty()) {
    auto& next = queue_.front();
    if (next.offset == next.what.text.size()) {
      if (next.what.file && next.what.range.size > 0) {
        if (!on_io_thread || budget == 0)
          return progress::again;
        if (refill(next) == progress::failed)
          return progress::failed;
        continue;
      }
      if (next.sent)
        done.push_back(std::move(next.sent));
      queue_.pop_front();
      continue;
    }
    if (budget == 0)
      return progress::again;
    auto rest = std::string_view{next.what.text}.substr(next.offset, budget);
    auto more = queue_.size() > 1 || next.what.range.size > 0;
    auto sent = ::send(fd_.get(), rest.data(), rest.size(),
                       MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0));
    if (sent < 0 && errno == EINTR)
      continue;
    if (sent < 0)
      return errno == EAGAIN || errno == EWOULDBLOCK ? progress::blocked : progress::failed;
    next.offset += static_cast<size_t>(sent);
    queued_ -= static_cast<size_t>(sent);
    budget -= static_cast<size_t>(sent);
    last_progress_ = now_().time_since_epoch().count();
  }
  return progress::drained;
}

/// Reads the next slice of a file. One that has shrunk cannot keep what its head promised.
write_queue::progress write_queue::refill(entry& next) {
  auto& [text, file, range] = next.what;
  text.resize(std::min<uint64_t>(range.size, slice_bytes));
  auto got = ::pread(file->get(), text.data(), text.size(), static_cast<off_t>(range.offset));
  if (got <= 0)
    return progress::failed;
  text.resize(static_cast<size_t>(got));
  next.offset = 0;
  queued_ += text.size();
  range.offset += text.size();
  range.size -= text.size();
  return progress::again;
}

void write_queue::post() {
  boost::asio::post(io_, [self = shared_from_this()] { self->run(true); });
}

/// Asio watches the socket only while it is full: a socket that is always watched would wake Asio's
/// thread for every byte the client sends.
void write_queue::wait() {
  boost::system::error_code failure;
  waiter_.assign({AF_INET, IPPROTO_TCP}, fd_.get(), failure);
  if (failure) {
    post();
    return;
  }
  waiter_.async_wait(boost::asio::socket_base::wait_write,
                     [self = shared_from_this()](boost::system::error_code) {
                       {
                         std::lock_guard guard{self->mutex_};
                         boost::system::error_code ignored;
                         if (self->waiter_.is_open())
                           self->waiter_.release(ignored);
                       }
                       self->run(true);
                     });
}

bool write_queue::stalled(time_point now, std::chrono::milliseconds limit) const noexcept {
  using duration = std::chrono::steady_clock::duration;
  return pending_ && now - time_point{duration{last_progress_.load()}} > limit;
}

void write_queue::shut_write() noexcept {
  std::lock_guard guard{mutex_};
  if (fd_)
    ::shutdown(fd_.get(), SHUT_WR);
}

unique_fd write_queue::release() noexcept {
  std::lock_guard guard{mutex_};
  if (closed_ || busy_)
    return {};
  closed_ = true;
  return std::move(fd_);
}

void write_queue::close(bool reset) noexcept {
  std::deque<entry> dropped;
  std::lock_guard guard{mutex_};
  closed_ = true;
  dropped.swap(queue_);
  queued_ = 0;
  boost::system::error_code ignored;
  if (waiter_.is_open())
    waiter_.release(ignored);
  if (!fd_)
    return;
  if (reset) {
    auto now = linger{1, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  ::shutdown(fd_.get(), SHUT_RDWR);
  fd_.reset();
}

} // namespace musetalk::http::gate
