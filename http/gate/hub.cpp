#include "http/gate/hub.hpp"

#include <cstdio>
#include <random>

#include "http/gate/mailbox.hpp"
#include "http/gate/turn.hpp"

namespace musetalk::http::gate {

hub::hub(server_options given, router table) : options(std::move(given)), routes(std::move(table)) {
  std::random_device entropy;
  request_prefix_ = (uint64_t{entropy()} << 32) | entropy();
}

std::string hub::next_request_id() {
  char text[32];
  auto size = std::snprintf(text, sizeof text, "%012llx-%06llx",
                            static_cast<unsigned long long>(request_prefix_ >> 16),
                            static_cast<unsigned long long>(++request_number_));
  return {text, static_cast<size_t>(size)};
}

bool hub::add(std::shared_ptr<client> x) {
  std::lock_guard guard{mutex_};
  if (connections_.size() >= bounds().max_connections)
    return false;
  connections_.insert(std::move(x));
  return true;
}

void hub::remove(const std::shared_ptr<client>& x) {
  std::lock_guard guard{mutex_};
  connections_.erase(x);
  changed_.notify_all();
}

void hub::replace(const std::shared_ptr<client>& x, std::shared_ptr<client> by) {
  std::lock_guard guard{mutex_};
  connections_.erase(x);
  connections_.insert(std::move(by));
}

bool hub::reserve_socket() noexcept {
  if (++sockets_ <= bounds().max_sockets)
    return true;
  --sockets_;
  return false;
}

void hub::remove_socket(const std::shared_ptr<client>& x) {
  --sockets_;
  remove(x);
}

std::vector<std::shared_ptr<client>> hub::connections() const {
  std::lock_guard guard{mutex_};
  return {connections_.begin(), connections_.end()};
}

size_t hub::connection_count() const noexcept {
  std::lock_guard guard{mutex_};
  return connections_.size();
}

void hub::add(const std::shared_ptr<mailbox>& x) {
  std::lock_guard guard{mutex_};
  threads_.push_back(x);
}

void hub::sweep() {
  auto time = now();
  for (auto& x : connections())
    x->sweep(time);
  std::lock_guard guard{mutex_};
  for (auto& x : threads_)
    if (auto thread = x.lock())
      thread->poke();
}

void hub::turn_ended() {
  // Under the lock, or a waiter could miss it between its look and its wait. Only drains wait.
  if (--turns_ > 0 || !draining)
    return;
  std::lock_guard guard{mutex_};
  changed_.notify_all();
}

void hub::end_turn(turn& x, bool delivered) {
  if (!x.finish(delivered))
    return;
  if (options.on_access)
    options.on_access({x.in.id, x.in.remote, x.in.method, x.in.pattern, x.in.path, x.status,
                       x.bytes_in, x.bytes_out,
                       std::chrono::duration_cast<std::chrono::microseconds>(now() - x.began),
                       delivered});
  turn_ended();
}

bool hub::wait_for_turns(std::chrono::steady_clock::time_point until) {
  std::unique_lock guard{mutex_};
  return changed_.wait_until(guard, until, [&] { return turns_ == 0; });
}

bool hub::wait_for_connections(std::chrono::steady_clock::time_point until) {
  std::unique_lock guard{mutex_};
  return changed_.wait_until(guard, until, [&] { return connections_.empty(); });
}

} // namespace musetalk::http::gate
