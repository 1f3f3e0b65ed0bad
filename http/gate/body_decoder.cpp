#include "http/gate/body_decoder.hpp"

#include <algorithm>
#include <charconv>

#include "errors/error.hpp"

namespace musetalk::http::gate {
namespace {

/// A size line with its extensions, and all trailer fields together.
constexpr size_t max_line_bytes = 1024;
constexpr size_t max_trailer_bytes = 8192;

[[noreturn]] void malformed(std::string detail) {
  throw error(errc::request_malformed, std::move(detail));
}

} // namespace

body_decoder::body_decoder(const message_head& head, uint64_t max_bytes)
    : max_bytes_(max_bytes), state_(head.chunked ? state::size_line : state::raw),
      remaining_(head.body_length.value_or(0)) {
  check_size(remaining_);
  if (!head.has_body())
    state_ = state::complete;
}

void body_decoder::check_size(uint64_t bytes) const {
  if (bytes > max_bytes_)
    throw error(errc::request_too_large, "The body has at least " + std::to_string(bytes) +
                                             " bytes; the limit is " + std::to_string(max_bytes_) +
                                             ".");
}

uint64_t body_decoder::expected() const noexcept {
  switch (state_) {
  case state::raw:
    return remaining_;
  case state::chunk:
    return remaining_ + 2;
  case state::complete:
    return 0;
  default:
    return 1;
  }
}

size_t body_decoder::push(std::string_view bytes, const payload_handler& payload) {
  auto taken = size_t{0};
  while (taken < bytes.size() && !complete()) {
    auto rest = bytes.substr(taken);
    taken += state_ == state::raw || state_ == state::chunk ? push_payload(rest, payload)
                                                            : push_line(rest);
  }
  return taken;
}

size_t body_decoder::push_payload(std::string_view bytes, const payload_handler& payload) {
  auto part = bytes.substr(0, std::min<uint64_t>(bytes.size(), remaining_));
  payload(part);
  received_ += part.size();
  remaining_ -= part.size();
  if (remaining_ == 0)
    state_ = state_ == state::raw ? state::complete : state::chunk_end;
  return part.size();
}

size_t body_decoder::push_line(std::string_view bytes) {
  auto feed = bytes.find('\n');
  auto part = bytes.substr(0, feed == bytes.npos ? bytes.size() : feed + 1);
  if (line_.size() + part.size() > max_line_bytes)
    malformed("A line between the chunks of the body is longer than " +
              std::to_string(max_line_bytes) + " bytes.");
  line_ += part;
  // A chunk must be followed by CRLF at once: nothing else is waited for.
  if (state_ == state::chunk_end && !std::string_view{"\r\n"}.starts_with(line_))
    malformed("A chunk of the body does not end where its size says.");
  if (!line_.ends_with('\n'))
    return part.size();
  if (!line_.ends_with("\r\n"))
    malformed("A line between the chunks of the body does not end with CR and LF.");
  if (state_ == state::size_line) {
    end_size_line();
  } else if (state_ == state::chunk_end) {
    state_ = state::size_line;
  } else {
    trailer_bytes_ += line_.size();
    if (trailer_bytes_ > max_trailer_bytes)
      malformed("The trailer of the body is longer than " + std::to_string(max_trailer_bytes) +
                " bytes.");
    if (line_ == "\r\n")
      state_ = state::complete;
  }
  line_.clear();
  return part.size();
}

void body_decoder::end_size_line() {
  auto text = std::string_view{line_}.substr(0, line_.size() - 2);
  // Extensions are allowed and mean nothing to us.
  text = text.substr(0, text.find(';'));
  while (text.ends_with(' ') || text.ends_with('\t'))
    text.remove_suffix(1);
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), remaining_, 16);
  if (text.empty() || failure != std::errc{} || end != text.data() + text.size() ||
      remaining_ > uint64_t{1} << 62)
    malformed("The size of a chunk is no hexadecimal number.");
  check_size(received_ + remaining_);
  state_ = remaining_ > 0 ? state::chunk : state::trailer;
}

} // namespace musetalk::http::gate
