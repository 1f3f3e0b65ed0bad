#include "models/cuda/batch_buckets.hpp"

#include <algorithm>

namespace musetalk::models {

const std::vector<size_t>& batch_buckets::all() {
  static const auto sizes = std::vector<size_t>{1, 2, 4, 8, 16};
  return sizes;
}

std::vector<size_t> batch_buckets::to_prepare(size_t max_batch) {
  auto list = std::vector<size_t>{};
  for (auto size : all()) {
    list.insert(list.begin(), size);
    if (size >= max_batch)
      break;
  }
  return list;
}

void batch_buckets::add(size_t batch) {
  auto at = std::lower_bound(sizes_.begin(), sizes_.end(), batch);
  if (at == sizes_.end() || *at != batch)
    sizes_.insert(at, batch);
}

size_t batch_buckets::holding(size_t n) const noexcept {
  auto at = std::lower_bound(sizes_.begin(), sizes_.end(), n);
  return at == sizes_.end() ? 0 : *at;
}

size_t batch_buckets::largest() const noexcept {
  return sizes_.empty() ? 0 : sizes_.back();
}

std::vector<batch_part> cut_batches(size_t n, size_t limit) {
  auto parts = std::vector<batch_part>{};
  auto step = std::max<size_t>(limit, 1);
  for (size_t first = 0; first < n; first += step)
    parts.push_back({first, std::min(step, n - first)});
  return parts;
}

} // namespace musetalk::models
