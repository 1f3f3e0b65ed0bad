#include "pipeline/ids.hpp"

#include "errors/error.hpp"
#include "pipeline/time.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <mutex>

namespace musetalk::pipeline {

namespace {

constexpr size_t max_id_length = 64;

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// 128 bits, most significant byte first: six bytes of time, ten of chance.
using ulid = std::array<uint8_t, 16>;

void fill_with_chance(uint8_t* bytes, size_t count) {
  while (count > 0) {
    auto got = ::getrandom(bytes, count, 0);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      throw error(errc::internal, "The system gave no random numbers.");
    bytes += got;
    count -= static_cast<size_t>(got);
  }
}

constexpr auto alphabet = std::string_view{"0123456789abcdefghjkmnpqrstvwxyz"};
constexpr size_t ulid_digits = 26;
constexpr size_t time_digits = 10;

ulid next_ulid() {
  static std::mutex guard;
  static ulid last{};
  auto value = ulid{};
  auto millis = static_cast<uint64_t>(now_us() / 1000);
  for (auto i = 0; i < 6; ++i)
    value[i] = static_cast<uint8_t>(millis >> (8 * (5 - i)));
  fill_with_chance(value.data() + 6, 10);
  // The same millisecond, or a clock set back: count on, so that the order of making is kept.
  std::lock_guard lock{guard};
  if (value <= last) {
    value = last;
    for (auto i = value.size(); i-- > 0;)
      if (++value[i] != 0)
        break;
  }
  last = value;
  return value;
}

std::string to_base32(const ulid& value) {
  auto text = std::string(ulid_digits, '0');
  // 26 x 5 = 130 bits: two zero bits stand before the value
  for (auto i = 0; i < 26; ++i) {
    auto digit = 0;
    for (auto bit = i * 5 - 2; bit < i * 5 + 3; ++bit)
      digit = digit * 2 + (bit < 0 ? 0 : value[bit / 8] >> (7 - bit % 8) & 1);
    text[i] = alphabet[digit];
  }
  return text;
}

} // namespace

bool is_id(std::string_view text) noexcept {
  return !text.empty() && text.size() <= max_id_length && is_alphanumeric(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '_' || c == '-'; });
}

void require_avatar_id(std::string_view text) {
  if (!is_id(text))
    throw error(errc::avatar_id_invalid,
                "An avatar_id has 1 to 64 of the characters A-Z, a-z, 0-9, _ and -, and begins "
                "with a letter or digit; this one has " +
                    std::to_string(text.size()) + " bytes.");
}

std::string new_job_id() {
  return to_base32(next_ulid());
}

std::string new_upload_id() {
  return to_base32(next_ulid());
}

std::optional<timestamp_us> made_at(std::string_view id) noexcept {
  if (id.size() != ulid_digits || id.find_first_not_of(alphabet) != std::string_view::npos)
    return std::nullopt;
  auto millis = int64_t{0};
  for (auto digit : id.substr(0, time_digits))
    millis = millis * 32 + static_cast<int64_t>(alphabet.find(digit));
  return millis * 1000;
}

std::string version_name(uint32_t number) {
  char text[16];
  std::snprintf(text, sizeof text, "v%06u", number);
  return text;
}

std::optional<uint32_t> version_number(std::string_view name) noexcept {
  if (name.size() < 7 || name.size() > 10 || name.front() != 'v')
    return std::nullopt;
  auto number = uint32_t{0};
  for (auto c : name.substr(1)) {
    if (c < '0' || c > '9')
      return std::nullopt;
    number = number * 10 + static_cast<uint32_t>(c - '0');
  }
  // one spelling for one number: no further leading zeros, no zero
  if (number == 0 || (name.size() > 7 && name[1] == '0'))
    return std::nullopt;
  return number;
}

} // namespace musetalk::pipeline
