#include "http/gate/byte_range.hpp"

#include <algorithm>
#include <charconv>

namespace musetalk::http::gate {
namespace {

std::optional<uint64_t> number(std::string_view text) noexcept {
  auto value = uint64_t{0};
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failure != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

} // namespace

range_request parse_range(std::string_view field, uint64_t file_size) noexcept {
  using kind = range_request::kind;
  constexpr std::string_view unit = "bytes=";
  auto dash = field.find('-');
  if (!field.starts_with(unit) || dash == field.npos)
    return {};
  auto first_text = field.substr(unit.size(), dash - unit.size());
  auto last_text = field.substr(dash + 1);
  auto first = number(first_text);
  auto last = number(last_text);
  // `bytes=-500`: the last 500.
  if (first_text.empty() && last) {
    auto size = std::min(*last, file_size);
    return size == 0 ? range_request{kind::unsatisfiable, {}}
                     : range_request{kind::part, {file_size - size, size}};
  }
  if (!first || (!last && !last_text.empty()) || (last && *last < *first))
    return {};
  if (*first >= file_size)
    return {kind::unsatisfiable, {}};
  auto end = last ? std::min(*last, file_size - 1) : file_size - 1;
  return {kind::part, {*first, end - *first + 1}};
}

} // namespace musetalk::http::gate
