#pragma once

#include <array>
#include <cstddef>

namespace musetalk::models {

/// Which of the double buffers belongs to whom. A slot is the host and device memory of one
/// execution; the ring hands slots out in turn, so executions end in the order they began:
///
///     free -> begin -> under way -> oldest, end -> free
///
/// While the device works on one slot the host fills the other.
class slot_ring {
public:
  /// Executions that can be under way.
  static constexpr size_t slots = 2;

  /// Takes the next slot for an execution of `count` items.
  /// @returns Its index. @throws musetalk::error `internal` when all are under way.
  size_t begin(size_t count);

  /// Gives the youngest slot back: its execution could not begin.
  void cancel() noexcept;

  /// The slot whose execution began first. @throws musetalk::error `internal` when there is none.
  size_t oldest() const;

  /// Items of the oldest execution. @throws as `oldest`.
  size_t oldest_count() const;

  /// Gives the oldest slot back: its results have been taken. @throws as `oldest`.
  void end();

  /// Gives all slots back: the device has failed and nothing more will come.
  void clear() noexcept { under_way_ = 0; }

  size_t under_way() const noexcept { return under_way_; }
  bool full() const noexcept { return under_way_ == slots; }

private:
  size_t next_ = 0; ///< Slot that the next execution gets.
  size_t under_way_ = 0;
  std::array<size_t, slots> counts_ = {};
};

} // namespace musetalk::models
