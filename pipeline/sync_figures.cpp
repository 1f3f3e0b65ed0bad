#include "pipeline/sync_figures.hpp"

#include <algorithm>
#include <atomic>

namespace musetalk::pipeline {

namespace {

std::array<std::atomic<uint64_t>, sync_counts::bounds.size() + 1> counted{};
std::atomic<int64_t> total_ns = 0;

} // namespace

void note_sync(int64_t ns) noexcept {
  const auto& bounds = sync_counts::bounds;
  auto bucket = std::lower_bound(bounds.begin(), bounds.end(), static_cast<double>(ns) / 1e9);
  counted[static_cast<size_t>(bucket - bounds.begin())].fetch_add(1, std::memory_order_relaxed);
  total_ns.fetch_add(ns, std::memory_order_relaxed);
}

sync_counts read_sync_counts() noexcept {
  auto result = sync_counts{};
  for (size_t i = 0; i < counted.size(); ++i)
    result.counts[i] = counted[i].load(std::memory_order_relaxed);
  result.sum_s = static_cast<double>(total_ns.load(std::memory_order_relaxed)) / 1e9;
  return result;
}

} // namespace musetalk::pipeline
