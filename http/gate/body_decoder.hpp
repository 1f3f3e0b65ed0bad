#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "http/gate/head.hpp"

namespace musetalk::http::gate {

/// Finds where a request body ends, and takes chunked coding off. Any split of the bytes gives the
/// same result. Not thread-safe.
class body_decoder {
public:
  /// Gets the payload as it comes, without a copy.
  using payload_handler = std::function<void(std::string_view)>;

  /// @param max_bytes Of payload.
  /// @throws error with `errc::request_too_large` when the head tells a longer body.
  body_decoder(const message_head& head, uint64_t max_bytes);

  /// Takes bytes up to the end of the body.
  /// @returns how many were taken; the rest belongs to the next request.
  /// @throws error with `errc::request_malformed` or `errc::request_too_large`, and what `payload`
  /// throws.
  size_t push(std::string_view bytes, const payload_handler& payload);

  bool complete() const noexcept { return state_ == state::complete; }

  /// Bytes of payload so far.
  uint64_t received() const noexcept { return received_; }

  /// How many bytes surely belong to this body: a read of that size takes nothing of the next
  /// request.
  uint64_t expected() const noexcept;

private:
  enum class state { raw, size_line, chunk, chunk_end, trailer, complete };
  size_t push_payload(std::string_view bytes, const payload_handler& payload);
  size_t push_line(std::string_view bytes);
  void end_size_line();
  void check_size(uint64_t bytes) const;
  uint64_t max_bytes_;
  state state_;
  uint64_t remaining_ = 0; ///< Of the body, or of the chunk.
  uint64_t received_ = 0;
  size_t trailer_bytes_ = 0;
  std::string line_;
};

} // namespace musetalk::http::gate
