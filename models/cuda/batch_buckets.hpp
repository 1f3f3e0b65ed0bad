#pragma once

#include <cstddef>
#include <vector>

namespace musetalk::models {

/// The batch sizes that a device is prepared for. A CUDA graph has a fixed batch, so a batch
/// between two sizes is padded to the larger; powers of two keep the waste below one half and the
/// graphs few.
class batch_buckets {
public:
  /// 1, 2, 4, 8, 16: beyond that a card gains nothing, but the first frame waits longer.
  static const std::vector<size_t>& all();

  /// The sizes to prepare for batches of up to `max_batch`, largest first: the largest needs the
  /// most memory, and what it leaves the smaller ones share. Never empty.
  static std::vector<size_t> to_prepare(size_t max_batch);

  /// Adds a size that has been prepared.
  void add(size_t batch);

  /// The smallest prepared size that holds `n` items; 0 when none does.
  size_t holding(size_t n) const noexcept;

  /// The largest prepared size; 0 when there is none.
  size_t largest() const noexcept;

  /// Prepared sizes, ascending.
  const std::vector<size_t>& sizes() const noexcept { return sizes_; }

private:
  std::vector<size_t> sizes_; ///< Ascending.
};

/// A run of items that makes one execution.
struct batch_part {
  size_t first = 0;
  size_t count = 0;
};

/// Cuts `n` items into executions of at most `limit`, full ones first.
std::vector<batch_part> cut_batches(size_t n, size_t limit);

} // namespace musetalk::models
