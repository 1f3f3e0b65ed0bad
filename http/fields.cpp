#include "http/fields.hpp"

#include "errors/error.hpp"
#include "pipeline/ids.hpp"

#include <algorithm>
#include <charconv>
#include <set>

namespace musetalk::http {

namespace {

[[noreturn]] void refuse(std::string_view name, const std::string& rule) {
  throw error{errc::request_field_invalid, std::string{name} + " " + rule + "."};
}

template <class T>
std::optional<T> parse(std::string_view text) {
  auto value = T{};
  const auto* end = text.data() + text.size();
  auto [rest, fault] = std::from_chars(text.data(), end, value);
  if (fault != std::errc{} || rest != end)
    return std::nullopt;
  return value;
}

bool control(unsigned char c) {
  return c < 0x20 || c == 0x7f;
}

bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(), control);
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

std::string list_of(std::initializer_list<std::string_view> names) {
  auto result = std::string{};
  for (auto name : names)
    result += (result.empty() ? "" : ", ") + std::string{name};
  return result.empty() ? "none" : result;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
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

/// Collects the members of the outermost object; keeps nested values as empty ones of their type.
class flat_reader : public nlohmann::json_sax<nlohmann::json> {
public:
  nlohmann::json result = nlohmann::json::object();

  bool null() override { return put(nullptr); }
  bool boolean(bool x) override { return put(x); }
  bool number_integer(number_integer_t x) override { return put(x); }
  bool number_unsigned(number_unsigned_t x) override { return put(x); }
  bool number_float(number_float_t x, const string_t&) override { return put(x); }
  bool string(string_t& x) override { return put(std::move(x)); }
  bool binary(binary_t&) override { return false; }

  bool start_object(size_t) override {
    return depth_ == 0 ? open() : put(nlohmann::json::object()) && open();
  }

  bool start_array(size_t) override {
    if (depth_ == 0)
      throw error{errc::request_malformed, "The body must be a JSON object, not a list."};
    return put(nlohmann::json::array()) && open();
  }

  bool key(string_t& x) override {
    if (depth_ != 1)
      return true;
    if (!seen_.insert(x).second)
      throw error{errc::request_field_duplicate, "A member of the JSON object comes twice."};
    if (seen_.size() > 64)
      throw error{errc::request_malformed, "The JSON object has more than 64 members."};
    key_ = x;
    return true;
  }

  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    throw error{errc::request_malformed,
                "The body is no JSON: it breaks at byte " + std::to_string(position) + "."};
  }

private:
  bool open() {
    if (++depth_ > 8)
      throw error{errc::request_malformed, "The JSON is nested more than 8 levels deep."};
    return true;
  }

  bool close() {
    --depth_;
    return true;
  }

  template <class T>
  bool put(T&& x) {
    if (depth_ == 0)
      throw error{errc::request_malformed, "The body must be a JSON object."};
    if (depth_ == 1)
      result[key_] = std::forward<T>(x);
    return true;
  }

  int depth_ = 0;
  std::string key_;
  std::set<std::string> seen_;
};

const nlohmann::json& required(const nlohmann::json& body, const char* name) {
  auto found = body.find(name);
  if (found == body.end())
    throw error{errc::request_field_missing, std::string{name} + " is missing."};
  return *found;
}

const std::string& text_member(const nlohmann::json& x, const char* name) {
  if (!x.is_string())
    refuse(name, std::string{"must be a text, not "} + x.type_name());
  return x.get_ref<const std::string&>();
}

std::string tutor_id_member(const nlohmann::json& x) {
  if (x.is_number_integer())
    return x.dump();
  if (!x.is_string())
    refuse("tutor_id", std::string{"must be a text or a whole number, not "} + x.type_name());
  return tutor_id_field(x.get_ref<const std::string&>());
}

std::string video_path_member(const std::string& text) {
  if (text.empty() || text.size() > max_video_path_bytes || has_control_characters(text))
    refuse("video_path", "has " + std::to_string(text.size()) + " bytes; it must have 1 to " +
                             std::to_string(max_video_path_bytes) + " and no control characters");
  return text;
}

} // namespace

bool yes_no_field(std::string_view name, std::string_view text) {
  if (text == "1" || equals_ignoring_case(text, "true"))
    return true;
  if (text == "0" || equals_ignoring_case(text, "false"))
    return false;
  refuse(name, "must be true, false, 1 or 0");
}

int64_t whole_field(std::string_view name, std::string_view text, int64_t least, int64_t most) {
  auto x = parse<int64_t>(text);
  if (!x || *x < least || *x > most)
    refuse(name,
           "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return *x;
}

std::string avatar_id_field(std::string_view text) {
  pipeline::require_avatar_id(text);
  return std::string{text};
}

std::string quoted_name(std::string_view sent) {
  return '"' + display_name(sent.substr(0, 64)) + '"';
}

std::string tutor_id_field(std::string_view text) {
  if (text.size() > max_tutor_id_bytes || has_control_characters(text) || !is_utf8(text))
    refuse("tutor_id", "has " + std::to_string(text.size()) + " bytes; at most " +
                           std::to_string(max_tutor_id_bytes) +
                           " of UTF-8 without control characters are allowed");
  return std::string{text};
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

void require_known_query(const request& in, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : in.query) {
    if (std::find(known.begin(), known.end(), key) == known.end())
      throw error{errc::request_field_unknown,
                  "The query has a key " + quoted_name(key) +
                      " that this call does not know. Known: " + list_of(known) + "."};
    if (in.query.count(key) > 1)
      throw error{errc::request_field_duplicate, key + " comes twice in the query."};
  }
}

pipeline::page_request page_of(const request& in) {
  auto result = pipeline::page_request{};
  if (in.query.contains("limit"))
    result.limit = static_cast<uint32_t>(whole_field("limit", in.query_value("limit"), 1, 1000));
  auto cursor = in.query_value("cursor");
  if (cursor.size() > 512)
    refuse("cursor", "must be the next_cursor of an earlier answer");
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

nlohmann::json flat_object_of(std::string_view text) {
  auto reader = flat_reader{};
  nlohmann::json::sax_parse(text, &reader);
  return std::move(reader.result);
}

pipeline::job_request create_request_of(const request& in) {
  auto type = in.headers.get("Content-Type");
  type = trimmed(type.substr(0, std::min(type.find(';'), type.size())));
  if (!equals_ignoring_case(type, "application/json"))
    throw error{errc::request_media_type, "The body must be of type application/json."};
  auto body = flat_object_of(in.body);
  const std::initializer_list<std::string_view> known = {"avatar_id", "video_path", "apply_blur",
                                                         "tutor_id"};
  for (const auto& [name, value] : body.items())
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw error{errc::request_field_unknown,
                  "The body has a member " + quoted_name(name) +
                      " that this call does not know. Known: " + list_of(known) + "."};
  auto result = pipeline::job_request{};
  result.avatar_id = avatar_id_field(text_member(required(body, "avatar_id"), "avatar_id"));
  result.video_path = video_path_member(text_member(required(body, "video_path"), "video_path"));
  result.video_name = display_name(result.video_path);
  if (auto x = body.find("apply_blur"); x != body.end()) {
    if (!x->is_boolean())
      refuse("apply_blur", std::string{"must be true or false, not "} + x->type_name());
    result.apply_blur = x->get<bool>();
  }
  if (auto x = body.find("tutor_id"); x != body.end() && !x->is_null())
    result.tutor_id = tutor_id_member(*x);
  return result;
}

} // namespace musetalk::http
