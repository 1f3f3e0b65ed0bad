#pragma once

#include <algorithm>
#include <cstdint>

namespace musetalk::pipeline {

/// Maps pictures with any timing onto a steady rate: each slot shows the newest picture that is due
/// by then, so a slow source repeats pictures, a fast one drops some, and one that already has the
/// rate passes one to one. Holds one picture back, because only the next one tells how long it
/// lasts. Same results as libav's filter `fps` with rounding `near` and a clip that starts at 0.
class frame_clock {
public:
  /// Tells how often the held picture is shown before the one of `slot` takes its place. 0 drops
  /// it; the first call has none to show.
  /// @param slot Start of the new picture, in slots from the clip's start. Going backwards counts
  /// as standing still.
  int64_t push(int64_t slot) noexcept {
    const auto shown = held_ ? std::max<int64_t>(0, slot - next_) : 0;
    next_ += shown;
    held_ = true;
    return shown;
  }

  /// Tells how often the held picture is shown when the clip ends at `end_slot`. A clip with a
  /// picture shows at least one.
  int64_t finish(int64_t end_slot) noexcept {
    if (!held_)
      return 0;
    const auto least = next_ == 0 ? int64_t{1} : int64_t{0};
    const auto shown = std::max(least, end_slot - next_);
    next_ += shown;
    held_ = false;
    return shown;
  }

  /// Slots shown so far.
  int64_t shown() const noexcept { return next_; }

private:
  bool held_ = false;
  int64_t next_ = 0; // slot that the held picture starts at
};

} // namespace musetalk::pipeline
