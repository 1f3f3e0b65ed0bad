#include "models/cuda/slot_ring.hpp"

#include "errors/error.hpp"

#include <string>

namespace musetalk::models {

size_t slot_ring::begin(size_t count) {
  if (full())
    throw error{errc::internal,
                std::to_string(slots) + " executions are under way; one has to be collected first"};
  auto slot = next_;
  counts_[slot] = count;
  next_ = (next_ + 1) % slots;
  ++under_way_;
  return slot;
}

void slot_ring::cancel() noexcept {
  next_ = (next_ + slots - 1) % slots;
  --under_way_;
}

size_t slot_ring::oldest() const {
  if (under_way_ == 0)
    throw error{errc::internal, "no execution is under way"};
  return (next_ + slots - under_way_) % slots;
}

size_t slot_ring::oldest_count() const {
  return counts_[oldest()];
}

void slot_ring::end() {
  oldest(); // Refuses when there is none.
  --under_way_;
}

} // namespace musetalk::models
