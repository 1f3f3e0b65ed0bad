#include "http/gate/head.hpp"

#include <algorithm>
#include <charconv>

#include "errors/error.hpp"

namespace musetalk::http::gate {
namespace {

[[noreturn]] void malformed(std::string detail) {
  throw error(errc::request_malformed, std::move(detail));
}

bool is_token_character(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) noexcept {
  return !text.empty() && std::ranges::all_of(text, is_token_character);
}

std::string_view trim(std::string_view text) noexcept {
  auto first = text.find_first_not_of(" \t");
  if (first == text.npos)
    return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Calls `visit` with each non-empty element of a comma-separated list.
template <class Visit>
void for_each_element(std::string_view list, Visit visit) {
  while (!list.empty()) {
    auto element = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), element.size() + 1));
    if (auto text = trim(element); !text.empty())
      visit(text);
  }
}

void parse_target(std::string_view target, message_head& out, const limits& bounds) {
  if (target.size() > bounds.max_target_bytes)
    throw error(errc::request_too_large, "The request target has " + std::to_string(target.size()) +
                                             " bytes; the limit is " +
                                             std::to_string(bounds.max_target_bytes) + ".");
  if (!std::ranges::all_of(target, [](char c) { return c > 0x20 && c < 0x7f && c != '#'; }))
    malformed("The request target holds characters that must be percent-encoded.");
  // The absolute form, as clients send it to proxies.
  if (target.starts_with("http://") || target.starts_with("https://")) {
    auto path = target.find('/', target.find("//") + 2);
    target = path == target.npos ? "/" : target.substr(path);
  }
  auto mark = target.find('?');
  out.path = target.substr(0, mark);
  out.query = mark == target.npos ? std::string_view{} : target.substr(mark + 1);
  if (out.path == "*" && out.method == "OPTIONS")
    return;
  if (!out.path.starts_with('/'))
    malformed("The request target does not begin with a slash.");
  if (out.path.find("//") != out.path.npos)
    malformed("The request path holds an empty segment.");
}

void parse_request_line(std::string_view line, message_head& out, const limits& bounds) {
  auto first = line.find(' ');
  auto last = line.rfind(' ');
  if (first == line.npos || first == last)
    malformed("The request line is not METHOD TARGET VERSION.");
  auto method = line.substr(0, first);
  auto version = line.substr(last + 1);
  if (!is_token(method) || method.size() > 20)
    malformed("The request method is no token of at most 20 characters.");
  if (version != "HTTP/1.1" && version != "HTTP/1.0")
    malformed("The protocol version is neither HTTP/1.1 nor HTTP/1.0.");
  out.method = method;
  out.minor = version.back() - '0';
  parse_target(line.substr(first + 1, last - first - 1), out, bounds);
}

void parse_field(std::string_view line, message_head& out) {
  if (line.front() == ' ' || line.front() == '\t')
    malformed("A header field is folded over several lines.");
  auto colon = line.find(':');
  if (colon == line.npos || !is_token(line.substr(0, colon)))
    malformed("A header field has no valid name.");
  auto value = trim(line.substr(colon + 1));
  auto is_control = [](char c) {
    return (c >= 0 && c < 0x20 && c != '\t') || c == 0x7f;
  };
  if (std::ranges::any_of(value, is_control))
    malformed("The value of a header field holds a control character.");
  out.headers.add(std::string{line.substr(0, colon)}, std::string{value});
}

void check_host(const message_head& head) {
  auto count = head.headers.count("Host");
  if (count > 1 || (count == 0 && head.minor == 1))
    malformed("An HTTP/1.1 request needs exactly one Host field.");
  auto is_host_character = [](char c) {
    return is_token_character(c) || c == ':' || c == '[' || c == ']';
  };
  if (!std::ranges::all_of(head.headers.get("Host"), is_host_character))
    malformed("The Host field is no host and port.");
}

/// RFC 9112 6.3: two readers that disagree on where a body ends are how requests are smuggled, so
/// every doubt is refused.
void read_framing(message_head& out) {
  auto lengths = out.headers.count("Content-Length");
  auto codings = out.headers.count("Transfer-Encoding");
  if (lengths > 0 && codings > 0)
    malformed("Content-Length and Transfer-Encoding exclude each other.");
  if (lengths > 1)
    malformed("Content-Length is given more than once.");
  if (codings > 0) {
    if (codings > 1 || out.minor == 0 ||
        !equals_ignoring_case(out.headers.get("Transfer-Encoding"), "chunked"))
      malformed("The only transfer coding taken is a single `chunked`, in HTTP/1.1.");
    out.chunked = true;
  }
  if (lengths == 1) {
    auto text = out.headers.get("Content-Length");
    auto value = uint64_t{0};
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || failure != std::errc{} || end != text.data() + text.size() ||
        value > uint64_t{1} << 62)
      malformed("Content-Length is no decimal number of bytes.");
    out.body_length = value;
  }
}

void read_connection(message_head& out) {
  out.keep_alive = out.minor == 1;
  auto closes = false;
  for (auto& [name, value] : out.headers) {
    if (equals_ignoring_case(name, "Connection"))
      for_each_element(value, [&](std::string_view option) {
        closes |= equals_ignoring_case(option, "close");
        out.keep_alive |= equals_ignoring_case(option, "keep-alive");
      });
    if (equals_ignoring_case(name, "Expect")) {
      if (!equals_ignoring_case(value, "100-continue"))
        malformed("The only expectation that can be met is 100-continue.");
      out.expects_continue = out.minor == 1;
    }
  }
  out.keep_alive &= !closes;
}

} // namespace

size_t head_collector::push(std::string_view bytes) {
  auto taken = size_t{0};
  // RFC 9112 2.2: an empty line before the request line is skipped.
  while (text_.empty() && taken < bytes.size() && (bytes[taken] == '\r' || bytes[taken] == '\n'))
    ++taken;
  while (taken < bytes.size() && !complete_) {
    auto rest = bytes.substr(taken);
    auto line = rest.substr(0, rest.find('\n') == rest.npos ? rest.size() : rest.find('\n') + 1);
    if (text_.size() + line.size() > max_bytes_)
      throw error(errc::request_too_large, "The head of the request has more than " +
                                               std::to_string(max_bytes_) + " bytes.");
    text_ += line;
    taken += line.size();
    if (!text_.ends_with('\n'))
      break;
    if (!text_.ends_with("\r\n"))
      malformed("A line of the head does not end with CR and LF.");
    complete_ = text_.ends_with("\r\n\r\n");
  }
  return taken;
}

std::string head_collector::take() {
  auto out = std::move(text_);
  out.resize(out.size() - 2);
  text_.clear();
  complete_ = false;
  return out;
}

message_head parse_head(std::string_view text, const limits& bounds) {
  message_head out;
  auto first = true;
  while (!text.empty()) {
    auto line = text.substr(0, text.find("\r\n"));
    text.remove_prefix(line.size() + 2);
    if (first)
      parse_request_line(line, out, bounds);
    else if (out.headers.size() == bounds.max_headers)
      throw error(errc::request_too_large, "The request has more than " +
                                               std::to_string(bounds.max_headers) +
                                               " header fields.");
    else
      parse_field(line, out);
    first = false;
  }
  check_host(out);
  read_framing(out);
  read_connection(out);
  return out;
}

} // namespace musetalk::http::gate
