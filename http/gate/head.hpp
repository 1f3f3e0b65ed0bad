#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/gate/limits.hpp"
#include "http/message.hpp"

namespace musetalk::http::gate {

/// The head of a request, checked by RFC 9112 without its leniencies: what two readers could
/// understand differently is refused.
struct message_head {
  std::string method;
  std::string path;  ///< As sent, percent-encoded; begins with `/`, no `//`; or `*`.
  std::string query; ///< As sent, without `?`.
  header_list headers;
  int minor = 1;                       ///< HTTP/1.`minor`: 0 or 1.
  bool chunked = false;                ///< The body comes in chunks.
  std::optional<uint64_t> body_length; ///< Of `Content-Length`.
  bool keep_alive = true;              ///< What the client wants.
  bool expects_continue = false;       ///< Waits for `100 Continue`.

  bool has_body() const noexcept { return chunked || body_length.value_or(0) > 0; }
};

/// Collects the bytes of a head, however they are cut. Not thread-safe.
class head_collector {
public:
  explicit head_collector(size_t max_bytes) : max_bytes_(max_bytes) {}

  /// Takes bytes up to the end of the head. Empty lines before the request line are skipped.
  /// @returns how many were taken; the rest belongs to the body.
  /// @throws error with `errc::request_too_large`, or `errc::request_malformed` for a line end
  /// without CR.
  size_t push(std::string_view bytes);

  /// Whether the empty line that ends a head was seen.
  bool complete() const noexcept { return complete_; }

  /// Whether nothing of a head has come yet.
  bool empty() const noexcept { return text_.empty(); }

  /// The head with the CRLF of its last line, and starts anew.
  std::string take();

private:
  size_t max_bytes_;
  std::string text_;
  bool complete_ = false;
};

/// Parses a head.
/// @param text Lines that each end with CRLF, without the empty one.
/// @throws error with `errc::request_malformed` or `errc::request_too_large`.
message_head parse_head(std::string_view text, const limits& bounds);

} // namespace musetalk::http::gate
