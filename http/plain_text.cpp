#include "http/plain_text.hpp"

#include <algorithm>

namespace musetalk::http {

namespace {

bool control(unsigned char c) {
  return c < 0x20 || c == 0x7f;
}

/// Length of the valid UTF-8 sequence at the start of `text`; 0 when there is none (RFC 3629).
size_t sequence_length(std::string_view text) {
  auto byte = [&](size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  auto first = byte(0);
  if (first < 0x80)
    return 1;
  auto length = first >= 0xF0 ? 4u : first >= 0xE0 ? 3u : 2u;
  if (first < 0xC2 || first > 0xF4 || text.size() < length)
    return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80)
      return 0;
  // Overlong forms, surrogates, and what lies beyond U+10FFFF.
  auto second = byte(1);
  auto wrong = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
               (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  return wrong ? 0 : length;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    auto length = sequence_length(text);
    if (length == 0)
      return false;
    text.remove_prefix(length);
  }
  return true;
}

} // namespace

bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(), control);
}

bool is_plain_text(std::string_view text) {
  return !has_control_characters(text) && is_utf8(text);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

std::string display_name(std::string_view sent) {
  // Some browsers send a whole path.
  if (auto slash = sent.find_last_of("/\\"); slash != std::string_view::npos)
    sent.remove_prefix(slash + 1);
  auto result = std::string{};
  while (!sent.empty() && result.size() < 252) {
    auto length = sequence_length(sent);
    auto good = length > 0 && !control(static_cast<unsigned char>(sent.front()));
    result += good ? std::string{sent.substr(0, length)} : "_";
    sent.remove_prefix(std::max<size_t>(length, 1));
  }
  return result;
}

std::string quoted_name(std::string_view sent) {
  return '"' + display_name(sent.substr(0, 64)) + '"';
}

std::string comma_list(std::initializer_list<std::string_view> names) {
  auto result = std::string{};
  for (auto name : names)
    result += (result.empty() ? "" : ", ") + std::string{name};
  return result.empty() ? "none" : result;
}

} // namespace musetalk::http
