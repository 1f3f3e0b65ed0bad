#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace musetalk::http {

/// Bounds of one multipart body.
struct multipart_limits {
  size_t max_parts = 32;
  size_t max_part_head_bytes = 4096; ///< All header lines of one part.
};

/// What the head of a part says.
struct part_head {
  std::string name;                    ///< Form field; never empty.
  std::optional<std::string> filename; ///< As sent, untrusted; present for file parts.
  std::string content_type;            ///< Empty when not given.
};

/// Reads a multipart/form-data body (RFC 7578, RFC 2046 5.1) as it arrives, in constant memory.
///
/// Any split of the bytes over `push` calls gives the same events; only the cuts between
/// `part_data` calls differ. Data is handed on without a copy. Not thread-safe.
class multipart_parser {
public:
  /// Called in order `part_begin (part_data)* part_end`, once per part. May throw: it passes
  /// through `push`, and the parser must not be used afterwards.
  struct events {
    std::function<void(const part_head&)> part_begin;
    std::function<void(std::span<const std::byte>)>
        part_data; ///< Never empty; valid during the call.
    std::function<void()> part_end;
  };

  /// @param boundary As in the media type, 1 to 70 characters.
  /// @throws error with `errc::request_malformed` for a boundary RFC 2046 does not allow.
  multipart_parser(std::string boundary, multipart_limits limits, events on);

  /// Takes the next bytes.
  /// @throws error with `errc::request_malformed` or `errc::request_too_large`.
  void push(std::span<const std::byte> bytes);

  /// Tells that the body is complete.
  /// @throws error with `errc::request_malformed` when the closing boundary never came.
  void finish();

  /// Whether the closing boundary was seen.
  bool complete() const noexcept { return state_ == state::epilogue; }

private:
  enum class state { preamble, delimiter_tail, part_headers, data, epilogue };
  std::string_view step(std::string_view in);
  std::string_view step_data(std::string_view in);
  std::string_view step_delimiter_tail(std::string_view in);
  std::string_view step_headers(std::string_view in);
  void emit(std::string_view data);
  void end_part();
  std::string delimiter_; ///< CRLF, two hyphens, boundary.
  multipart_limits limits_;
  events on_;
  state state_ = state::preamble;
  size_t matched_ = 2;  ///< Bytes of the delimiter that the last push ended with.
  size_t borrowed_ = 2; ///< Of these, bytes that are no data: a body may begin with a delimiter.
  std::string held_;    ///< Header lines, or the rest of a delimiter line.
  size_t parts_ = 0;
  bool in_part_ = false;
};

/// The boundary of a `Content-Type` header.
/// @throws error with `errc::request_media_type` when it is not multipart/form-data, with
///   `errc::request_malformed` when the boundary is absent or not allowed.
std::string multipart_boundary(std::string_view content_type);

} // namespace musetalk::http
