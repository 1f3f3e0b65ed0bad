#include "actors/duration_histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace musetalk::actors {

namespace {

/// Durations are counted in units of 256 ns, so that the first octave of four is a microsecond.
constexpr auto unit_shift = 8;
constexpr auto quarter_bits = 2;

size_t bucket_of(int64_t ns) noexcept {
  auto units = static_cast<uint64_t>(std::max<int64_t>(ns, 0)) >> unit_shift;
  if (units < 4)
    return units;
  auto octave = static_cast<size_t>(std::bit_width(units)) - 1;
  auto quarter = (units >> (octave - quarter_bits)) & 3;
  return std::min((octave - 1) * 4 + quarter, duration_histogram::buckets - 1);
}

int64_t begin_of(size_t bucket) noexcept {
  if (bucket < 4)
    return static_cast<int64_t>(bucket) << unit_shift;
  auto octave = bucket / 4 + 1;
  return static_cast<int64_t>((4 + bucket % 4) << (octave - quarter_bits)) << unit_shift;
}

// One writer: a plain load and store is cheaper than a locked addition.
template <class T>
void grow(std::atomic<T>& x, T by) noexcept {
  x.store(x.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

} // namespace

void duration_histogram::add(int64_t ns) noexcept {
  grow(counts_[bucket_of(ns)], uint32_t{1});
  grow(sum_ns_, std::max<int64_t>(ns, 0));
  grow(count_, uint64_t{1});
  if (ns > max_ns_.load(std::memory_order_relaxed))
    max_ns_.store(ns, std::memory_order_relaxed);
}

int64_t duration_histogram::quantile_ns(double q) const noexcept {
  auto total = uint64_t{0};
  for (const auto& x : counts_)
    total += x.load(std::memory_order_relaxed);
  if (total == 0)
    return 0;
  auto wanted = std::max(std::ceil(std::clamp(q, 0., 1.) * static_cast<double>(total)), 1.);
  auto seen = uint64_t{0};
  for (size_t i = 0; i < buckets; ++i) {
    seen += counts_[i].load(std::memory_order_relaxed);
    if (static_cast<double>(seen) >= wanted)
      return std::min((begin_of(i) + begin_of(i + 1)) / 2, std::max<int64_t>(max_ns(), 0));
  }
  return max_ns();
}

} // namespace musetalk::actors
