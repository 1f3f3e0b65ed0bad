#include "actors/history.hpp"

#include <algorithm>

namespace musetalk::actors {

namespace {

/// What a chunk costs besides itself: two pointers, the allocator's head, a share of the map.
constexpr size_t overhead = 96;

} // namespace

history::history(size_t max_bytes)
    : max_chunks_(std::max<size_t>(max_bytes / (sizeof(chunk) + overhead), 1)) {
  // nop
}

void history::add(uint64_t actor, int64_t second, history_sample x) {
  auto minute = second / chunk_seconds;
  while (!chunks_.empty() && (minute - chunks_.front()->minute) * chunk_seconds > seconds)
    forget_oldest();
  auto known = by_actor_.find(actor);
  auto* open = known == by_actor_.end() ? nullptr : known->second.back();
  if (open == nullptr || open->minute != minute) {
    if (x.idle())
      return;
    if (chunks_.size() >= max_chunks_)
      forget_oldest();
    chunks_.push_back(std::make_unique<chunk>(chunk{actor, minute, {}}));
    open = chunks_.back().get();
    by_actor_[actor].push_back(open);
  }
  open->samples[static_cast<size_t>(second % chunk_seconds)] = x;
}

std::vector<history_sample> history::series(uint64_t actor, int64_t first, size_t count) const {
  auto result = std::vector<history_sample>(count);
  auto known = by_actor_.find(actor);
  if (known == by_actor_.end())
    return result;
  for (const auto* x : known->second)
    for (int64_t i = 0; i < chunk_seconds; ++i) {
      auto place = x->minute * chunk_seconds + i - first;
      if (place >= 0 && place < static_cast<int64_t>(count))
        result[static_cast<size_t>(place)] = x->samples[static_cast<size_t>(i)];
    }
  return result;
}

size_t history::bytes() const noexcept {
  return chunks_.size() * (sizeof(chunk) + overhead);
}

void history::forget_oldest() {
  auto& oldest = chunks_.front();
  auto& own = by_actor_[oldest->actor];
  // An actor's chunks are in the same order as all are.
  own.erase(own.begin());
  if (own.empty())
    by_actor_.erase(oldest->actor);
  chunks_.pop_front();
}

} // namespace musetalk::actors
