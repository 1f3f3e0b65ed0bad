#include "pipeline/time.hpp"

#include <chrono>
#include <cstdio>

namespace musetalk::pipeline {

namespace chrono = std::chrono;

namespace {

/// The digits `[from, from + count)` as a number, or nothing when one is no digit.
std::optional<int> digits(std::string_view text, size_t from, size_t count) {
  auto value = 0;
  for (auto i = from; i < from + count; ++i) {
    if (text[i] < '0' || text[i] > '9')
      return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

} // namespace

timestamp_us now_us() {
  auto now = chrono::system_clock::now().time_since_epoch();
  return chrono::duration_cast<chrono::microseconds>(now).count();
}

std::string to_rfc3339(timestamp_us at) {
  auto instant = chrono::sys_time<chrono::microseconds>{chrono::microseconds{at}};
  auto day = chrono::floor<chrono::days>(instant);
  auto date = chrono::year_month_day{day};
  auto clock = chrono::hh_mm_ss{chrono::floor<chrono::milliseconds>(instant - day)};
  char text[48];
  std::snprintf(
      text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text;
}

std::optional<timestamp_us> from_rfc3339(std::string_view text) {
  constexpr auto shape = std::string_view{"dddd-dd-ddTdd:dd:dd"};
  if (text.size() <= shape.size() || text.size() > 32 || text.back() != 'Z')
    return std::nullopt;
  for (auto i = size_t{0}; i < shape.size(); ++i)
    if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
      return std::nullopt;
  auto date = chrono::year_month_day{chrono::year{*digits(text, 0, 4)},
                                     chrono::month{static_cast<unsigned>(*digits(text, 5, 2))},
                                     chrono::day{static_cast<unsigned>(*digits(text, 8, 2))}};
  auto hours = *digits(text, 11, 2);
  auto minutes = *digits(text, 14, 2);
  auto seconds = *digits(text, 17, 2);
  if (!date.ok() || hours > 23 || minutes > 59 || seconds > 59)
    return std::nullopt;
  // fraction: microseconds are kept, what is finer is dropped
  auto fraction = text.substr(shape.size(), text.size() - shape.size() - 1);
  auto micros = timestamp_us{0};
  if (!fraction.empty()) {
    if (fraction.front() != '.' || fraction.size() < 2 || !digits(fraction, 1, fraction.size() - 1))
      return std::nullopt;
    for (auto i = size_t{1}; i <= 6; ++i)
      micros = micros * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
  }
  auto days = chrono::sys_days{date}.time_since_epoch();
  auto clock = chrono::hours{hours} + chrono::minutes{minutes} + chrono::seconds{seconds};
  return chrono::duration_cast<chrono::microseconds>(days + clock).count() + micros;
}

} // namespace musetalk::pipeline
