#include "models/checkpoint/crc32.hpp"

#include <array>
#include <cstring>

namespace musetalk::models {

namespace {

constexpr size_t slices = 16;

using tables = std::array<std::array<uint32_t, 256>, slices>;

constexpr tables make_tables() {
  auto t = tables{};
  for (uint32_t i = 0; i < 256; ++i) {
    auto x = i;
    for (auto bit = 0; bit < 8; ++bit)
      x = (x >> 1) ^ ((x & 1) ? 0xEDB88320u : 0u);
    t[0][i] = x;
  }
  for (size_t k = 1; k < slices; ++k)
    for (size_t i = 0; i < 256; ++i)
      t[k][i] = (t[k - 1][i] >> 8) ^ t[0][t[k - 1][i] & 0xFF];
  return t;
}

constexpr auto table = make_tables();

} // namespace

uint32_t crc32(std::span<const std::byte> bytes) noexcept {
  auto crc = 0xFFFFFFFFu;
  auto* p = reinterpret_cast<const uint8_t*>(bytes.data());
  auto n = bytes.size();
  // Sixteen bytes a step: independent table reads hide their latency (Intel's "slicing" method).
  while (n >= slices) {
    std::array<uint8_t, slices> block;
    std::memcpy(block.data(), p, slices);
    for (size_t i = 0; i < 4; ++i)
      block[i] ^= static_cast<uint8_t>(crc >> (8 * i));
    crc = 0;
    for (size_t i = 0; i < slices; ++i)
      crc ^= table[slices - 1 - i][block[i]];
    p += slices;
    n -= slices;
  }
  while (n-- > 0)
    crc = (crc >> 8) ^ table[0][(crc ^ *p++) & 0xFF];
  return ~crc;
}

} // namespace musetalk::models
