#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

namespace musetalk::actors {

/// One actor in one second, rounded to what a picture shows.
struct history_sample {
  uint16_t depth = 0;         ///< Messages, at most 65,535.
  uint16_t handled = 0;       ///< In that second.
  uint16_t busy_permille = 0; ///< 1,000: all the time.
  uint16_t oldest_cs = 0;     ///< Age of the oldest waiting message in 10 ms, at most 655 s.

  bool idle() const noexcept {
    return depth == 0 && handled == 0 && busy_permille == 0 && oldest_cs == 0;
  }
};

/// What actors did in the last hour, second by second, in bounded memory: minutes in which an actor
/// did nothing cost nothing, and when there are too many others the oldest go first. Not
/// thread-safe.
class history {
public:
  static constexpr int64_t seconds = 3600;

  explicit history(size_t max_bytes = size_t{64} << 20);

  /// @param second Counts up, by any clock; never backwards.
  void add(uint64_t actor, int64_t second, history_sample x);

  /// Samples of the seconds from `first` on, one for each; what is not known is idle.
  std::vector<history_sample> series(uint64_t actor, int64_t first, size_t count) const;

  /// Memory that it takes now.
  size_t bytes() const noexcept;

private:
  static constexpr int64_t chunk_seconds = 60;

  struct chunk {
    uint64_t actor;
    int64_t minute;
    std::array<history_sample, chunk_seconds> samples;
  };

  void forget_oldest();

  size_t max_chunks_;
  std::deque<std::unique_ptr<chunk>> chunks_; ///< In the order of their minutes.
  std::unordered_map<uint64_t, std::vector<chunk*>> by_actor_;
};

} // namespace musetalk::actors
