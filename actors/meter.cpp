#include "actors/meter.hpp"

#include <algorithm>
#include <utility>

namespace musetalk::actors {

namespace {

constexpr auto tag_bits = 14;
constexpr auto tag_mask = (uint64_t{1} << tag_bits) - 1;

uint64_t tag_of(uint64_t sequence) noexcept {
  // Never 0, so that a fresh slot matches nothing.
  return (sequence & tag_mask) | 1;
}

} // namespace

// -- arrival_times -----------------------------------------------------------------

void arrival_times::note(uint64_t sequence, int64_t ns) noexcept {
  auto us = static_cast<uint64_t>(ns) / 1000;
  for (size_t level = 0; level < levels; ++level) {
    auto index = sequence >> (6 * level);
    auto value = us << tag_bits | tag_of(index / places);
    times_[level][index % places].store(value, std::memory_order_relaxed);
    // The next level knows the first of every 64 of this one.
    if (index % places != 0)
      return;
  }
}

int64_t arrival_times::at(uint64_t sequence, uint64_t arrived) const noexcept {
  for (size_t level = 0; level < levels; ++level) {
    auto step = uint64_t{1} << (6 * level);
    auto index = (sequence + step - 1) / step;
    if (index * step >= arrived)
      return 0;
    auto newest = (arrived - 1) / step;
    auto covered = newest - index < places;
    if (!covered && level + 1 < levels)
      continue;
    // Beyond the last level: the oldest that is known.
    if (!covered)
      index = newest - places + 1;
    auto value = times_[level][index % places].load(std::memory_order_relaxed);
    return (value & tag_mask) == tag_of(index / places)
               ? static_cast<int64_t>(value >> tag_bits) * 1000
               : 0;
  }
  return 0;
}

// -- meter: written -------------------------------------------------------------------

int64_t meter::now_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(clock::now().time_since_epoch())
      .count();
}

void meter::introduced(std::string kind, bool detached) {
  auto lock = std::lock_guard{mutex_};
  kind_ = std::move(kind);
  detached_ = detached;
}

void meter::placed(actor_place x) {
  auto lock = std::lock_guard{mutex_};
  place_ = std::move(x);
}

void meter::works_for(std::string about) {
  auto lock = std::lock_guard{mutex_};
  about_ = std::move(about);
}

void meter::arrived() noexcept {
  auto sequence = arrived_.fetch_add(1, std::memory_order_relaxed);
  arrivals_.note(sequence, now_ns());
  auto handled = handled_.load(std::memory_order_relaxed);
  auto depth = sequence + 1 > handled ? sequence + 1 - handled : 0;
  auto max_depth = max_depth_.load(std::memory_order_relaxed);
  while (depth > max_depth &&
         !max_depth_.compare_exchange_weak(max_depth, depth, std::memory_order_relaxed)) {
    // nop
  }
}

void meter::began(type_figures* type) noexcept {
  current_.store(type, std::memory_order_release);
  began_ns_.store(now_ns(), std::memory_order_relaxed);
}

void meter::ended(bool counted) noexcept {
  auto spent = now_ns() - began_ns_.load(std::memory_order_relaxed);
  began_ns_.store(0, std::memory_order_relaxed);
  busy_ns_.store(busy_ns_.load(std::memory_order_relaxed) + spent, std::memory_order_relaxed);
  auto* type = current_.load(std::memory_order_relaxed);
  if (type == nullptr)
    started_.store(true, std::memory_order_relaxed);
  if (!counted)
    return;
  if (type != nullptr)
    type->times.add(spent);
  handled_.store(handled_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void meter::failed(std::string what) {
  errors_.fetch_add(1, std::memory_order_relaxed);
  auto lock = std::lock_guard{mutex_};
  last_error_ = std::move(what);
  last_error_ns_ = now_ns();
}

meter::type_figures* meter::add_type(uint64_t key, std::string name) {
  auto count = type_count_.load(std::memory_order_relaxed);
  types_[count] = std::make_unique<type_figures>();
  types_[count]->key = key;
  types_[count]->name = std::move(name);
  type_count_.store(count + 1, std::memory_order_release);
  return types_[count].get();
}

// -- meter: read ------------------------------------------------------------------------

meter_sample meter::sample(int64_t now_ns) const noexcept {
  auto result = meter_sample{};
  // Handled first: a message that arrives in between then counts as waiting, never as negative.
  result.handled = handled_.load(std::memory_order_relaxed);
  auto arrived = std::max(arrived_.load(std::memory_order_relaxed), result.handled);
  result.depth = arrived - result.handled;
  result.errors = errors_.load(std::memory_order_relaxed);
  result.busy_ns = busy_ns_.load(std::memory_order_relaxed);
  auto first = result.handled;
  if (auto began = began_ns_.load(std::memory_order_relaxed); began != 0) {
    result.current_ns = std::max<int64_t>(now_ns - began, 1);
    result.busy_ns += result.current_ns;
    first += current_.load(std::memory_order_relaxed) != nullptr ? 1 : 0;
  }
  if (first < arrived)
    if (auto at = arrivals_.at(first, arrived); at != 0)
      result.oldest_ns = std::max<int64_t>(now_ns - at, 0);
  return result;
}

meter_reading meter::read() const {
  auto now = now_ns();
  auto numbers = sample(now);
  auto result = meter_reading{};
  result.actor_id = actor_id_;
  result.started = started_.load(std::memory_order_relaxed);
  result.handled = numbers.handled;
  result.depth = numbers.depth;
  result.max_depth = max_depth_.load(std::memory_order_relaxed);
  result.errors = numbers.errors;
  result.busy_us = (numbers.busy_ns - numbers.current_ns) / 1000;
  result.oldest_us = numbers.oldest_ns / 1000;
  if (numbers.current_ns > 0) {
    result.current_us = numbers.current_ns / 1000;
    result.current_type = current_type();
  }
  auto lock = std::lock_guard{mutex_};
  result.kind = kind_;
  result.name = place_.name.empty() ? kind_ : place_.name;
  result.about = about_;
  result.parent = place_.parent;
  result.restarts = place_.restarts;
  result.detached = detached_;
  result.last_error = last_error_;
  if (last_error_ns_ != 0)
    result.last_error_us = (now - last_error_ns_) / 1000;
  return result;
}

std::vector<type_reading> meter::read_types() const {
  auto result = std::vector<type_reading>{};
  auto count = type_count_.load(std::memory_order_acquire);
  for (size_t i = 0; i < count; ++i) {
    const auto& times = types_[i]->times;
    auto n = times.count();
    if (n == 0)
      continue;
    result.push_back({types_[i]->name, n, times.sum_ns() / static_cast<int64_t>(n),
                      times.quantile_ns(.5), times.quantile_ns(.99), times.max_ns()});
  }
  return result;
}

std::string meter::name() const {
  auto lock = std::lock_guard{mutex_};
  return place_.name.empty() ? kind_ : place_.name;
}

std::string meter::current_type() const {
  if (began_ns_.load(std::memory_order_relaxed) == 0)
    return {};
  // Figures live as long as the meter, and their names never change.
  const auto* type = current_.load(std::memory_order_acquire);
  return type == nullptr ? "start" : type->name;
}

} // namespace musetalk::actors
