#include "actors/metered.hpp"

#include <algorithm>
#include <map>

namespace musetalk::actors {

namespace {

// Actor ids are unique in a process, also over several actor systems.
struct meter_list {
  std::mutex mutex;
  std::map<uint64_t, std::weak_ptr<meter>> meters;
};

meter_list& listed() {
  static auto list = meter_list{};
  return list;
}

int64_t now_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             meter::clock::now().time_since_epoch())
      .count();
}

} // namespace

void meter::named(std::string name) {
  auto lock = std::lock_guard{mutex_};
  name_ = std::move(name);
}

void meter::arrived() noexcept {
  auto arrived = arrived_.fetch_add(1, std::memory_order_relaxed) + 1;
  auto handled = handled_.load(std::memory_order_relaxed);
  auto depth = arrived > handled ? arrived - handled : 0;
  auto max_depth = max_depth_.load(std::memory_order_relaxed);
  while (depth > max_depth &&
         !max_depth_.compare_exchange_weak(max_depth, depth, std::memory_order_relaxed)) {
    // nop
  }
}

void meter::began() noexcept {
  began_ns_.store(now_ns(), std::memory_order_relaxed);
}

void meter::ended(bool counted) noexcept {
  auto began = began_ns_.exchange(0, std::memory_order_relaxed);
  busy_ns_.fetch_add(now_ns() - began, std::memory_order_relaxed);
  if (counted)
    handled_.fetch_add(1, std::memory_order_relaxed);
}

void meter::failed(const caf::error& x) {
  auto text = std::string{to_string(code_of(x))} + ": " + detail_of(x);
  auto lock = std::lock_guard{mutex_};
  last_error_ = std::move(text);
}

meter_reading meter::read() const {
  auto result = meter_reading{};
  result.actor_id = actor_id_;
  // Handled first: a message that arrives in between then counts as waiting, never as negative.
  result.handled = handled_.load(std::memory_order_relaxed);
  result.depth =
      std::max(arrived_.load(std::memory_order_relaxed), result.handled) - result.handled;
  result.max_depth = max_depth_.load(std::memory_order_relaxed);
  result.busy_us = busy_ns_.load(std::memory_order_relaxed) / 1000;
  if (auto began = began_ns_.load(std::memory_order_relaxed); began != 0)
    result.current_us = std::max<int64_t>(now_ns() - began, 0) / 1000;
  auto lock = std::lock_guard{mutex_};
  result.name = name_;
  result.last_error = last_error_;
  return result;
}

std::shared_ptr<meter> make_meter(uint64_t actor_id) {
  auto result = std::make_shared<meter>(actor_id);
  auto& list = listed();
  auto lock = std::lock_guard{list.mutex};
  list.meters[actor_id] = result;
  return result;
}

void unlist_meter(const meter& x) {
  auto& list = listed();
  auto lock = std::lock_guard{list.mutex};
  list.meters.erase(x.actor_id());
}

std::vector<meter_reading> read_meters() {
  auto result = std::vector<meter_reading>{};
  auto& list = listed();
  auto lock = std::lock_guard{list.mutex};
  for (const auto& [id, weak] : list.meters)
    if (auto x = weak.lock())
      result.push_back(x->read());
  return result;
}

} // namespace musetalk::actors
