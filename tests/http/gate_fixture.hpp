#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "http/server.hpp"
#include "tests/http/raw_client.hpp"

namespace musetalk::http::test {

/// Hands values from the server's threads to the test.
template <class T>
class channel {
public:
  void push(T x) {
    std::lock_guard guard{mutex_};
    values_.push_back(std::move(x));
    changed_.notify_all();
  }

  /// The next value; throws when none comes.
  T pop() {
    std::unique_lock guard{mutex_};
    if (!changed_.wait_for(guard, patience, [&] { return !values_.empty(); }))
      throw std::runtime_error("nothing came");
    auto out = std::move(values_.front());
    values_.pop_front();
    return out;
  }

  bool empty() {
    std::lock_guard guard{mutex_};
    return values_.empty();
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> values_;
};

/// A clock that only moves when it is told to.
class hand_clock {
public:
  std::chrono::steady_clock::time_point now() const {
    return std::chrono::steady_clock::time_point{std::chrono::milliseconds{ms_.load()}};
  }
  void advance(std::chrono::milliseconds by) { ms_ += by.count(); }

private:
  std::atomic<int64_t> ms_{1'000'000'000};
};

/// Collects a body and tells how it ended.
struct sink_events {
  std::atomic<uint64_t> bytes{0};
  channel<std::string> ends; ///< `finish`, or the public name of the error of `abort`.
};

class recording_sink final : public body_sink {
public:
  recording_sink(exchange_ptr x, std::shared_ptr<sink_events> events)
      : exchange_(std::move(x)), events_(std::move(events)) {}
  void write(std::span<const std::byte> bytes) override { events_->bytes += bytes.size(); }
  void finish() override {
    exchange_->respond({200, {}, std::to_string(events_->bytes)});
    events_->ends.push("finish");
  }
  void abort(const error& why) noexcept override {
    events_->ends.push(std::string{to_string(why.code())});
  }

private:
  exchange_ptr exchange_;
  std::shared_ptr<sink_events> events_;
};

/// A server on a free port with routes that show what the gate does:
/// `/hello`, `/echo` (what came, as text), `/big/:kib`, `/later` (answered by the test through
/// `parked`),
/// `/throws`, `/silent` (never answered), `/stream` (through `streams`), `/upload` (to `sinks`),
/// `/file`.
class gate_test : public testing::Test {
protected:
  void start(std::function<void(server_options&)> change = {});
  void TearDown() override { server_.reset(); }

  raw_client client(int receive_buffer_bytes = 0) {
    return raw_client{port_, receive_buffer_bytes};
  }

  /// Blocks until the server knows of that many connections.
  void await_connections(size_t count);

  /// Adds the routes; tests may add more before `start`.
  router routes_;
  hand_clock clock_; ///< Used when `start` is told `use_hand_clock`.
  channel<exchange_ptr> parked_;
  channel<std::shared_ptr<stream>> streams_;
  channel<access_record> accesses_;
  channel<bool> closes_; ///< Of `/later` and `/stream`.
  std::shared_ptr<sink_events> sink_ = std::make_shared<sink_events>();
  std::filesystem::path file_; ///< What `/file` answers.
  std::unique_ptr<http_server> server_;
  uint16_t port_ = 0;
};

/// For `start`: time-outs pass only when the test moves `clock`.
inline std::function<void(server_options&)> on(hand_clock& clock) {
  return [&clock](server_options& options) {
    options.now = [&clock] {
      return clock.now();
    };
    options.limits.sweep_interval = std::chrono::milliseconds{5};
  };
}

/// Open file handles of this process.
size_t open_files();

} // namespace musetalk::http::test
