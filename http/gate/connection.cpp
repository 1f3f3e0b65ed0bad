#include "http/gate/connection.hpp"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <sys/socket.h>

#include "http/gate/mailbox.hpp"

namespace musetalk::http::gate {
namespace {

/// Read before other connections of the thread get their turn.
constexpr size_t slice_bytes = 256 * 1024;
/// Read at once while it is not known whose bytes follow; bounds what has to be kept for later.
constexpr size_t careful_read_bytes = 8 * 1024;

const error client_gone{errc::request_aborted, "The client closed the connection."};

} // namespace

connection::connection(std::shared_ptr<hub> shared, int fd, std::string remote,
                       std::shared_ptr<mailbox> thread)
    : hub_(std::move(shared)), fd_(fd), remote_(std::move(remote)), thread_(std::move(thread)),
      thread_id_(std::this_thread::get_id()), deadlines_(hub_->now()),
      head_(hub_->bounds().max_head_bytes) {}

std::shared_ptr<connection> connection::make(std::shared_ptr<hub> shared, int fd, unique_fd copy,
                                             std::string remote, std::shared_ptr<mailbox> thread) {
  auto out = std::shared_ptr<connection>(
      new connection(std::move(shared), fd, std::move(remote), std::move(thread)));
  out->out_ = std::make_shared<write_queue>(out->hub_->io, std::move(copy), out->hub_->options.now,
                                            [weak = std::weak_ptr(out)] {
                                              if (auto self = weak.lock())
                                                self->cut();
                                            });
  return out;
}

void connection::on_ready(std::span<char> buffer) {
  read(buffer);
  if (closed_ || state_ != state::answering)
    return;
  // Input is not read now. A client that only ended its side may still wait for its answer; one
  // that follows a stream has no other way to leave.
  auto look = pollfd{fd_, POLLRDHUP, 0};
  ::poll(&look, 1, 0);
  if ((look.revents & (POLLHUP | POLLERR)) ||
      ((look.revents & POLLRDHUP) && turn_ && turn_->streaming))
    close(client_gone);
}

void connection::on_wake(std::span<char> buffer) {
  if (closed_)
    return;
  if (cut_) {
    close(client_gone, true);
    return;
  }
  if (deadlines_.expired(hub_->now(), hub_->bounds()))
    expire();
  on_ready(buffer);
}

void connection::wake() {
  thread_->push(shared_from_this());
}

void connection::cut() {
  cut_ = true;
  wake();
}

void connection::sweep(time_point now) {
  if (out_->stalled(now, hub_->bounds().write_stall_timeout))
    cut();
  else if (deadlines_.expired(now, hub_->bounds()))
    wake();
}

void connection::close(const error& why, bool reset) {
  if (std::exchange(closed_, true))
    return;
  if (turn_)
    turn_->answered = true;
  abort_body(why);
  out_->close(reset);
  if (turn_) {
    finish(turn_, turn_->flushed);
    if (auto socket = turn_->take_socket())
      socket->start({}, {});
  }
  turn_.reset();
  hub_->remove(shared_from_this());
}

void connection::read(std::span<char> buffer) {
  reading_ = true;
  auto budget = slice_bytes;
  while (!closed_) {
    advance();
    if (closed_ || state_ == state::answering)
      break;
    if (!leftover_.empty()) {
      consume(std::exchange(leftover_, {}));
      continue;
    }
    if (budget < careful_read_bytes) {
      wake();
      break;
    }
    auto got = ::recv(fd_, buffer.data(), std::min(read_size(buffer.size()), budget), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      break;
    if (got <= 0) {
      close(client_gone);
      break;
    }
    budget -= std::min(budget, static_cast<size_t>(got));
    consume({buffer.data(), static_cast<size_t>(got)});
  }
  reading_ = false;
  if (!closed_ && hub_->draining)
    settle();
}

/// Ends what a server that stops need not wait for. All input has just been read, so closing resets
/// nothing.
void connection::settle() {
  auto idle = state_ == state::head && head_.empty();
  auto done = state_ == state::lingering && fin_sent_ && turn_->body_complete;
  if (idle || done)
    close(client_gone);
  else if (turn_ && turn_->streaming)
    end_stream(turn_);
}

size_t connection::read_size(size_t room) const noexcept {
  auto wanted = uint64_t{careful_read_bytes};
  if (state_ == state::body)
    wanted = std::max<uint64_t>(wanted, body_->expected());
  else if (state_ == state::lingering)
    wanted = room;
  return std::min<uint64_t>(room, wanted);
}

void connection::consume(std::string_view bytes) {
  while (!bytes.empty() && !closed_) {
    switch (state_) {
    case state::head:
      bytes.remove_prefix(consume_head(bytes));
      break;
    case state::body:
      bytes.remove_prefix(consume_body(bytes));
      break;
    case state::answering:
      leftover_ = bytes;
      return;
    case state::lingering:
      deadlines_.progress(bytes.size(), hub_->now());
      lingered_ += bytes.size();
      if (lingered_ > hub_->bounds().linger_bytes)
        close(client_gone, true);
      return;
    }
  }
}

size_t connection::consume_head(std::string_view bytes) {
  try {
    if (deadlines_.current() == deadlines::phase::idle)
      deadlines_.enter(deadlines::phase::head, hub_->now());
    auto taken = head_.push(bytes);
    if (head_.complete())
      begin_turn(parse_head(head_.take(), hub_->bounds()));
    return taken;
  } catch (const error& what) {
    refuse(what);
    return bytes.size();
  }
}

size_t connection::consume_body(std::string_view bytes) {
  if (turn_->answered) {
    advance();
    return 0;
  }
  try {
    auto taken = body_->push(bytes, [this](std::string_view part) { take_payload(part); });
    deadlines_.progress(taken, hub_->now());
    if (body_->complete())
      end_body();
    return taken;
  } catch (const error& what) {
    refuse(what);
  } catch (const std::exception& cause) {
    refuse(error{errc::internal, "The server failed while it took the body.", cause.what()});
  }
  return bytes.size();
}

/// Moves on when the answer is out, or has been given before the body was complete.
void connection::advance() {
  if (!turn_)
    return;
  if (auto socket = turn_->take_socket()) {
    hand_over(socket);
    return;
  }
  if (state_ == state::body && turn_->answered) {
    abort_body(error{errc::cancelled, "The request was answered before its body was complete."});
    enter_lingering();
  }
  if (!turn_->flushed)
    return;
  if (state_ == state::answering && !turn_->close_after) {
    turn_.reset();
    enter(state::head, deadlines::phase::idle);
  } else if (state_ == state::answering) {
    enter_lingering();
  }
  if (state_ == state::lingering && !std::exchange(fin_sent_, true))
    out_->shut_write();
}

void connection::enter(state what, deadlines::phase wait) {
  state_ = what;
  deadlines_.enter(wait, hub_->now());
}

/// Reads on and throws away, so that the client sees our answer and not a reset for what it still
/// sends.
void connection::enter_lingering() {
  if (state_ != state::lingering)
    enter(state::lingering, deadlines::phase::lingering);
}

void connection::expire() {
  switch (deadlines_.current()) {
  case deadlines::phase::head:
    if (head_.empty())
      close(client_gone);
    else
      refuse(error{errc::request_timeout, "The head of the request was not complete after " +
                                              std::to_string(hub_->bounds().head_timeout.count()) +
                                              " ms."});
    return;
  case deadlines::phase::body:
    refuse(error{errc::request_timeout,
                 "The body came too slowly: the limit is " +
                     std::to_string(hub_->bounds().body_idle_timeout.count()) +
                     " ms without a byte, or " +
                     std::to_string(hub_->bounds().min_body_bytes_per_s) + " bytes per second."});
    return;
  case deadlines::phase::answering:
    return;
  case deadlines::phase::idle:
  case deadlines::phase::lingering:
    close(client_gone);
    return;
  }
}

} // namespace musetalk::http::gate
