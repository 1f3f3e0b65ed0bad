#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace musetalk::http::gate {

/// A part of a file: `[offset, offset + size)`.
struct byte_range {
  uint64_t offset = 0;
  uint64_t size = 0;
  friend bool operator==(const byte_range&, const byte_range&) = default;
};

/// What a `Range` field asks of a file.
struct range_request {
  enum class kind { whole, part, unsatisfiable };
  kind what = kind::whole;
  byte_range part;
};

/// Reads a `Range` field (RFC 9110 14.2). Another unit, several ranges or nonsense mean the whole
/// file, as the standard allows.
range_request parse_range(std::string_view field, uint64_t file_size) noexcept;

} // namespace musetalk::http::gate
