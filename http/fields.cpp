#include "http/fields.hpp"

#include "errors/error.hpp"
#include "http/plain_text.hpp"
#include "pipeline/ids.hpp"

#include <algorithm>
#include <charconv>

namespace musetalk::http {

namespace {

template <class T>
std::optional<T> parse(std::string_view text) {
  auto value = T{};
  const auto* end = text.data() + text.size();
  auto [rest, fault] = std::from_chars(text.data(), end, value);
  if (fault != std::errc{} || rest != end)
    return std::nullopt;
  return value;
}

/// `wait=N` among the preferences of a header.
std::optional<int64_t> preferred_wait(std::string_view header) {
  while (!header.empty()) {
    auto end = std::min(header.find_first_of(",;"), header.size());
    auto preference = trimmed(header.substr(0, end));
    header.remove_prefix(std::min(end + 1, header.size()));
    if (preference.size() > 5 && equals_ignoring_case(preference.substr(0, 5), "wait="))
      if (auto seconds = parse<int64_t>(preference.substr(5)); seconds && *seconds >= 0)
        return seconds;
  }
  return std::nullopt;
}

} // namespace

void refuse_field(std::string_view name, const std::string& rule) {
  throw error{errc::request_field_invalid, std::string{name} + " " + rule + "."};
}

bool yes_no_field(std::string_view name, std::string_view text) {
  if (text == "1" || equals_ignoring_case(text, "true"))
    return true;
  if (text == "0" || equals_ignoring_case(text, "false"))
    return false;
  refuse_field(name, "must be true, false, 1 or 0");
}

int64_t whole_field(std::string_view name, std::string_view text, int64_t least, int64_t most) {
  auto x = parse<int64_t>(text);
  if (!x || *x < least || *x > most)
    refuse_field(name, "must be a whole number from " + std::to_string(least) + " to " +
                           std::to_string(most));
  return *x;
}

std::string avatar_id_field(std::string_view text) {
  pipeline::require_avatar_id(text);
  return std::string{text};
}

std::string tutor_id_field(std::string_view text) {
  if (text.size() > max_tutor_id_bytes || !is_plain_text(text))
    refuse_field("tutor_id", "has " + std::to_string(text.size()) + " bytes; at most " +
                                 std::to_string(max_tutor_id_bytes) +
                                 " of UTF-8 without control characters are allowed");
  return std::string{text};
}

pipeline::job_priority priority_field(std::string_view text) {
  auto x = pipeline::job_priority_from_string(text);
  if (!x)
    refuse_field("priority", "must be high, normal or low");
  return *x;
}

void take_job_query(pipeline::job_request& to, const request& in) {
  if (in.query.contains("priority"))
    to.priority = priority_field(in.query_value("priority"));
  if (in.query.contains("force"))
    to.force = yes_no_query(in, "force");
}

void require_known_query(const request& in, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : in.query) {
    if (std::find(known.begin(), known.end(), key) == known.end())
      throw error{errc::request_field_unknown,
                  "The query has a key " + quoted_name(key) +
                      " that this call does not know. Known: " + comma_list(known) + "."};
    if (in.query.count(key) > 1)
      throw error{errc::request_field_duplicate, key + " comes twice in the query."};
  }
}

bool yes_no_query(const request& in, std::string_view name) {
  return in.query.contains(name) && yes_no_field(name, in.query_value(name));
}

pipeline::page_request page_of(const request& in) {
  auto result = pipeline::page_request{};
  if (in.query.contains("limit"))
    result.limit = static_cast<uint32_t>(whole_field("limit", in.query_value("limit"), 1, 1000));
  auto cursor = in.query_value("cursor");
  if (cursor.size() > 512)
    refuse_field("cursor", "must be the next_cursor of an earlier answer");
  result.cursor = cursor;
  return result;
}

std::optional<std::chrono::seconds> wait_of(const request& in, std::chrono::seconds most) {
  auto seconds = int64_t{0};
  if (in.query.contains("wait"))
    seconds = whole_field("wait", in.query_value("wait"), 0, most.count());
  else if (auto preferred = preferred_wait(in.headers.get("Prefer")))
    seconds = std::min<int64_t>(*preferred, most.count());
  if (seconds == 0)
    return std::nullopt;
  return std::chrono::seconds{seconds};
}

} // namespace musetalk::http
