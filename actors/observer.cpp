#include "actors/observer.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <pthread.h>

namespace musetalk::actors {

namespace {

using namespace std::chrono_literals;

constexpr size_t most_events = 256;

template <class T>
uint16_t narrowed(T x) {
  return static_cast<uint16_t>(std::clamp<double>(static_cast<double>(x), 0., 65'535.));
}

double seconds_of(int64_t ns) {
  return static_cast<double>(ns) / 1e9;
}

double seconds_of(std::chrono::milliseconds x) {
  return std::chrono::duration<double>{x}.count();
}

} // namespace

const char* to_string(watch_kind x) {
  constexpr const char* names[] = {"mailbox", "waiting", "handler"};
  return names[static_cast<size_t>(x)];
}

observer::observer(watch_limits limits, event_callback told, size_t history_bytes)
    : limits_(limits), told_(std::move(told)), history_(history_bytes) {
  // nop
}

void observer::look(clock::time_point now) {
  auto all = listed_meters();
  auto news = std::vector<watch_event>{};
  {
    auto lock = std::lock_guard{mutex_};
    auto first = looks_++ == 0;
    auto now_ns =
        std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
    auto elapsed =
        first ? 1. : std::max(std::chrono::duration<double>{now - last_look_}.count(), 1e-3);
    last_look_ = now;
    last_look_at_ = std::chrono::system_clock::now();
    second_ = now_ns / 1'000'000'000;
    for (const auto& x : all) {
      auto sample = x->sample(now_ns);
      auto& known = tracks_[x->actor_id()];
      auto fresh = known.look == 0;
      known.look = looks_;
      auto handled = fresh ? 0 : sample.handled - std::min(known.last.handled, sample.handled);
      auto busy_ns = fresh ? 0 : sample.busy_ns - known.last.busy_ns;
      known.messages_per_s = static_cast<double>(handled) / elapsed;
      known.busy = std::clamp(seconds_of(busy_ns) / elapsed, 0., 1.);
      history_.add(x->actor_id(), second_,
                   {narrowed(sample.depth), narrowed(known.messages_per_s),
                    narrowed(std::round(known.busy * 1000.)),
                    narrowed(sample.oldest_ns / 10'000'000)});
      compare(*x, sample, known);
      known.last = sample;
    }
    // Those that have ended pass no threshold any more.
    for (auto i = tracks_.begin(); i != tracks_.end();) {
      if (i->second.look == looks_) {
        ++i;
        continue;
      }
      for (auto& x : events_)
        if (x.actor_id == i->first && !x.ended)
          x.ended = last_look_at_;
      i = tracks_.erase(i);
    }
    news = std::exchange(news_, {});
  }
  if (told_)
    for (const auto& x : news)
      told_(x);
}

void observer::compare(const meter& x, const meter_sample& now, track& known) {
  const auto check = [&](watch_kind kind, double value, double limit) {
    auto& over = known.over[static_cast<size_t>(kind)];
    // It is over at half of the limit, so that what swings around it is told once.
    auto still = over ? value > limit / 2 : value > limit;
    if (still || over)
      passed(x, kind, value, limit, still);
    over = still;
  };
  check(watch_kind::mailbox, static_cast<double>(now.depth), static_cast<double>(limits_.mailbox));
  check(watch_kind::waiting, seconds_of(now.oldest_ns), seconds_of(limits_.waiting));
  check(watch_kind::handler, seconds_of(now.current_ns), seconds_of(limits_.handler));
}

void observer::passed(const meter& x, watch_kind kind, double value, double limit, bool over) {
  auto lasting = std::find_if(events_.begin(), events_.end(), [&](const auto& y) {
    return y.actor_id == x.actor_id() && y.kind == kind && !y.ended;
  });
  if (lasting != events_.end()) {
    lasting->value = std::max(lasting->value, value);
    if (!over) {
      lasting->ended = last_look_at_;
      news_.push_back(*lasting);
    }
    return;
  }
  if (!over)
    return;
  auto reading = x.read();
  ++counts_[static_cast<size_t>(kind)];
  events_.push_front({kind, x.actor_id(), reading.name, reading.about, reading.current_type, value,
                      limit, last_look_at_, std::nullopt});
  if (events_.size() > most_events)
    events_.pop_back();
  news_.push_back(events_.front());
}

observed_actor observer::observed(const meter& x) const {
  auto result = observed_actor{};
  result.reading = x.read();
  if (auto known = tracks_.find(x.actor_id()); known != tracks_.end()) {
    result.messages_per_s = known->second.messages_per_s;
    result.busy = known->second.busy;
    result.over = known->second.over;
  }
  return result;
}

std::vector<observed_actor> observer::actors() const {
  auto result = std::vector<observed_actor>{};
  auto all = listed_meters();
  auto lock = std::lock_guard{mutex_};
  for (const auto& x : all)
    result.push_back(observed(*x));
  return result;
}

std::optional<observed_actor> observer::actor(uint64_t id) const {
  auto found = find_meter(id);
  if (!found)
    return std::nullopt;
  auto lock = std::lock_guard{mutex_};
  return observed(*found);
}

observed_series observer::series(uint64_t id, size_t count) const {
  auto lock = std::lock_guard{mutex_};
  count = std::min<size_t>(count, history::seconds);
  auto first = second_ - static_cast<int64_t>(count) + 1;
  return {last_look_at_ - std::chrono::seconds{static_cast<int64_t>(count) - 1},
          history_.series(id, first, count)};
}

std::vector<watch_event> observer::events() const {
  auto lock = std::lock_guard{mutex_};
  return {events_.begin(), events_.end()};
}

std::array<uint64_t, watch_kinds> observer::event_counts() const {
  auto lock = std::lock_guard{mutex_};
  return counts_;
}

observer_thread::observer_thread(std::shared_ptr<observer> x)
    : thread_([this, x = std::move(x)] {
        ::pthread_setname_np(::pthread_self(), "observer");
        auto next = observer::clock::now();
        auto lock = std::unique_lock{mutex_};
        while (!stopping_) {
          lock.unlock();
          x->look(observer::clock::now());
          lock.lock();
          // Never several at once after the machine slept.
          next = std::max(next + 1s, observer::clock::now());
          changed_.wait_until(lock, next, [this] { return stopping_; });
        }
      }) {
  // nop
}

observer_thread::~observer_thread() {
  {
    auto lock = std::lock_guard{mutex_};
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

} // namespace musetalk::actors
