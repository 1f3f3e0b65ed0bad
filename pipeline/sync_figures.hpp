#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace musetalk::pipeline {

/// How long the disk took to make files durable, in this process so far.
struct sync_counts {
  static constexpr std::array<double, 9> bounds{.0005, .001, .0025, .005, .01, .05, .1, .5, 2};

  std::array<uint64_t, bounds.size() + 1> counts{}; ///< By upper bound in seconds, each by itself.
  double sum_s = 0.;
};

/// Counts one.
void note_sync(int64_t ns) noexcept;

/// A copy, from any thread.
sync_counts read_sync_counts() noexcept;

} // namespace musetalk::pipeline
