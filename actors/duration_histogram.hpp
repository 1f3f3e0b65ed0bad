#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace musetalk::actors {

/// How long things took, in buckets that grow by a quarter of a power of two: 1 us to half an hour,
/// so that a quantile is off by an eighth at most. One thread writes, any thread reads meanwhile.
class duration_histogram {
public:
  static constexpr size_t buckets = 128;

  /// @param ns Negative counts as zero.
  void add(int64_t ns) noexcept;

  uint64_t count() const noexcept { return count_.load(std::memory_order_relaxed); }

  /// Of all that was added, in ns.
  int64_t sum_ns() const noexcept { return sum_ns_.load(std::memory_order_relaxed); }

  /// The longest, in ns.
  int64_t max_ns() const noexcept { return max_ns_.load(std::memory_order_relaxed); }

  /// The middle of the bucket in which the share `q` (0 to 1) of all durations has ended, in ns; 0
  /// when there are none.
  int64_t quantile_ns(double q) const noexcept;

private:
  std::array<std::atomic<uint32_t>, buckets> counts_{};
  std::atomic<uint64_t> count_ = 0;
  std::atomic<int64_t> sum_ns_ = 0;
  std::atomic<int64_t> max_ns_ = 0;
};

} // namespace musetalk::actors
