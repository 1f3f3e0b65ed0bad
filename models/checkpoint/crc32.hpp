#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace musetalk::models {

/// CRC-32 as zip files use it (polynomial 0xEDB88320), several GB per second.
uint32_t crc32(std::span<const std::byte> bytes) noexcept;

} // namespace musetalk::models
