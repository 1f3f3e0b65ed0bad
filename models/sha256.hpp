#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace musetalk::models {

/// SHA-256 in steps (FIPS 180-4). Of our own so that `models/` builds with LibTorch alone.
class sha256 {
public:
  sha256();

  void update(std::span<const std::byte> bytes);

  /// Lower-case hex. The object may not be used any more.
  std::string finish();

private:
  void block(const std::byte* at);

  std::array<uint32_t, 8> state_;
  std::array<std::byte, 64> pending_;
  size_t pending_bytes_ = 0;
  uint64_t total_bytes_ = 0;
};

} // namespace musetalk::models
