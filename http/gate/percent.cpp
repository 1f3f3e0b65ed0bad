#include "http/gate/percent.hpp"

#include "errors/error.hpp"

namespace musetalk::http::gate {
namespace {

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

/// Bytes of the UTF-8 sequence at the start of `text`, or 0 when it is malformed.
size_t utf8_length(std::string_view text) noexcept {
  auto at = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  auto tail = [&](size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return at(i) >= low && at(i) <= high;
  };
  auto lead = at(0);
  if (lead < 0x80)
    return 1;
  if (lead >= 0xc2 && lead <= 0xdf)
    return tail(1) ? 2 : 0;
  // Overlong forms, surrogates and code points beyond U+10FFFF are shut out by the second byte.
  if (lead >= 0xe0 && lead <= 0xef)
    return tail(1, lead == 0xe0 ? 0xa0 : 0x80, lead == 0xed ? 0x9f : 0xbf) && tail(2) ? 3 : 0;
  if (lead >= 0xf0 && lead <= 0xf4)
    return tail(1, lead == 0xf0 ? 0x90 : 0x80, lead == 0xf4 ? 0x8f : 0xbf) && tail(2) && tail(3)
               ? 4
               : 0;
  return 0;
}

} // namespace

bool is_plain_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    auto first = static_cast<unsigned char>(text.front());
    if (first < 0x20 || first == 0x7f)
      return false;
    auto length = utf8_length(text);
    if (length == 0)
      return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      auto high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        throw error(errc::request_malformed,
                    "The request target holds a % that two hexadecimal digits do not follow.");
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  if (!is_plain_utf8(out))
    throw error(errc::request_malformed,
                "The request target, decoded, is not UTF-8 text without control characters.");
  return out;
}

query_map parse_query(std::string_view text, size_t max_pairs) {
  query_map out;
  while (!text.empty()) {
    auto pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    if (pair.empty())
      continue;
    if (out.size() == max_pairs)
      throw error(errc::request_malformed,
                  "The query has more pairs than the limit of " + std::to_string(max_pairs) + ".");
    auto equals = pair.find('=');
    auto value = equals == pair.npos ? std::string_view{} : pair.substr(equals + 1);
    out.emplace(percent_decode(pair.substr(0, equals), true), percent_decode(value, true));
  }
  return out;
}

} // namespace musetalk::http::gate
