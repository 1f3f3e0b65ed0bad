#pragma once

#include "pipeline/image.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>
#include <vector>

namespace musetalk::pipeline {

/// Pictures by number, kept compressed without loss within a budget; the least recently used go
/// first. Many times faster to read than PNG. One thread at a time.
class frame_cache {
public:
  explicit frame_cache(uint64_t max_bytes) : max_bytes_(max_bytes) {}

  /// The picture of that number, if it is still there.
  std::optional<image> find(size_t number);

  /// Keeps a picture, unless it alone is larger than the budget.
  void put(size_t number, const image& picture);

  uint64_t bytes() const noexcept { return bytes_; }

private:
  struct packed {
    size_t number = 0;
    int32_t width = 0;
    int32_t height = 0;
    int32_t channels = 0;
    std::vector<char> bytes;
  };

  uint64_t max_bytes_;
  uint64_t bytes_ = 0;
  std::list<packed> pictures_; // the latest used first
  std::unordered_map<size_t, std::list<packed>::iterator> by_number_;
};

} // namespace musetalk::pipeline
