#pragma once

#include "errors/error.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace musetalk::models {

static_assert(std::endian::native == std::endian::little, "weight files are little-endian");

/// Takes little-endian numbers and runs of bytes off the front of a buffer. Never reads beyond its
/// end.
class byte_reader {
public:
  explicit byte_reader(std::span<const std::byte> bytes) : bytes_(bytes) {
    // nop
  }

  size_t left() const noexcept { return bytes_.size() - at_; }

  size_t position() const noexcept { return at_; }

  /// @throws musetalk::error `models_invalid` when fewer bytes are left, like every function below.
  template <class T>
  T take() {
    auto part = take_bytes(sizeof(T));
    T x;
    std::memcpy(&x, part.data(), sizeof(T));
    return x;
  }

  std::span<const std::byte> take_bytes(uint64_t n) {
    if (n > left())
      throw error{errc::models_invalid, "the file ends where " + std::to_string(n) +
                                            " more bytes should follow (" + std::to_string(left()) +
                                            " do)"};
    auto part = bytes_.subspan(at_, n);
    at_ += n;
    return part;
  }

  std::string_view take_text(uint64_t n) {
    auto part = take_bytes(n);
    return {reinterpret_cast<const char*>(part.data()), part.size()};
  }

  /// Up to the next line feed, which is taken off but not returned.
  std::string_view take_line() {
    auto rest = std::string_view{reinterpret_cast<const char*>(bytes_.data()) + at_, left()};
    auto end = rest.find('\n');
    if (end == std::string_view::npos)
      throw error{errc::models_invalid, "the file ends in the middle of a name"};
    at_ += end + 1;
    return rest.substr(0, end);
  }

private:
  std::span<const std::byte> bytes_;
  size_t at_ = 0;
};

} // namespace musetalk::models
