#pragma once

// Looks at all actors once a second, without asking any of them: rates, an hour of history, and
// events when a threshold is passed.

#include "actors/history.hpp"
#include "actors/roster.hpp"

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace musetalk::actors {

/// What is too much.
enum class watch_kind : uint8_t {
  mailbox, ///< Messages that wait.
  waiting, ///< Seconds that the oldest has waited.
  handler, ///< Seconds that the current message has taken.
};

inline constexpr size_t watch_kinds = 3;

const char* to_string(watch_kind x);

struct watch_limits {
  uint64_t mailbox = 1'000; ///< Messages.
  std::chrono::milliseconds waiting{30'000};
  std::chrono::milliseconds handler{60'000};
};

/// A threshold was passed.
struct watch_event {
  watch_kind kind = watch_kind::mailbox;
  uint64_t actor_id = 0;
  std::string actor;
  std::string about;   ///< What the actor works for.
  std::string message; ///< The type of the message that it was handling.
  double value = 0.;   ///< The worst so far.
  double limit = 0.;
  std::chrono::system_clock::time_point began;
  std::optional<std::chrono::system_clock::time_point> ended; ///< None: it lasts.
};

/// One living actor with what the last look adds.
struct observed_actor {
  meter_reading reading;
  double messages_per_s = 0.; ///< In the last second.
  double busy = 0.;           ///< Share of the last second, 0 to 1.
  std::array<bool, watch_kinds> over{};
};

/// An actor's last hour or less.
struct observed_series {
  std::chrono::system_clock::time_point begin; ///< Of the first sample.
  std::vector<history_sample> samples;         ///< One a second.
};

/// Thread-safe. Starts no thread by itself.
class observer {
public:
  using clock = std::chrono::steady_clock;
  using event_callback = std::function<void(const watch_event&)>;

  /// @param told Called when a threshold is passed and when that is over, on the thread that looks.
  explicit observer(watch_limits limits, event_callback told = nullptr,
                    size_t history_bytes = size_t{64} << 20);

  /// Looks at all actors. Meant to be called once a second.
  void look(clock::time_point now);

  std::vector<observed_actor> actors() const;
  std::optional<observed_actor> actor(uint64_t id) const;

  /// The last `count` seconds of an actor; of one that has ended, too.
  observed_series series(uint64_t id, size_t count) const;

  /// The latest first; at most 256.
  std::vector<watch_event> events() const;

  /// How often each threshold was passed.
  std::array<uint64_t, watch_kinds> event_counts() const;

  const watch_limits& limits() const noexcept { return limits_; }

private:
  struct track {
    meter_sample last;
    double messages_per_s = 0.;
    double busy = 0.;
    std::array<bool, watch_kinds> over{};
    uint64_t look = 0; ///< When it was last seen.
  };

  void compare(const meter& x, const meter_sample& now, track& known);
  void passed(const meter& x, watch_kind kind, double value, double limit, bool over);
  observed_actor observed(const meter& x) const;

  const watch_limits limits_;
  const event_callback told_;
  mutable std::mutex mutex_; ///< Guards what follows.
  std::map<uint64_t, track> tracks_;
  history history_;
  std::deque<watch_event> events_;
  std::array<uint64_t, watch_kinds> counts_{};
  std::vector<watch_event> news_; ///< To be told without the lock.
  clock::time_point last_look_{};
  std::chrono::system_clock::time_point last_look_at_{};
  int64_t second_ = 0; ///< Of the last look.
  uint64_t looks_ = 0;
};

/// Calls `look` of an observer once a second until its end.
class observer_thread {
public:
  explicit observer_thread(std::shared_ptr<observer> x);
  ~observer_thread();
  observer_thread(const observer_thread&) = delete;
  observer_thread& operator=(const observer_thread&) = delete;

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace musetalk::actors
