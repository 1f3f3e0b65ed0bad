#include "http/create_request.hpp"

#include "errors/error.hpp"
#include "http/fields.hpp"
#include "http/plain_text.hpp"

#include <algorithm>
#include <set>

namespace musetalk::http {

namespace {

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
    refuse_field(name, std::string{"must be a text, not "} + x.type_name());
  return x.get_ref<const std::string&>();
}

std::string tutor_id_member(const nlohmann::json& x) {
  if (x.is_number_integer())
    return x.dump();
  if (!x.is_string())
    refuse_field("tutor_id", std::string{"must be a text or a whole number, not "} + x.type_name());
  return tutor_id_field(x.get_ref<const std::string&>());
}

bool yes_no_member(const nlohmann::json& x, const char* name) {
  if (!x.is_boolean())
    refuse_field(name, std::string{"must be true or false, not "} + x.type_name());
  return x.get<bool>();
}

std::string video_path_member(const std::string& text) {
  if (text.empty() || text.size() > max_video_path_bytes || has_control_characters(text))
    refuse_field("video_path", "has " + std::to_string(text.size()) + " bytes; it must have 1 to " +
                                   std::to_string(max_video_path_bytes) +
                                   " and no control characters");
  return text;
}

} // namespace

nlohmann::json flat_object_of(std::string_view text) {
  auto reader = flat_reader{};
  nlohmann::json::sax_parse(text, &reader);
  return std::move(reader.result);
}

bool has_json_body(const request& in) {
  auto type = in.headers.get("Content-Type");
  type = trimmed(type.substr(0, std::min(type.find(';'), type.size())));
  return equals_ignoring_case(type, "application/json");
}

pipeline::job_request create_request_of(const request& in) {
  if (!has_json_body(in))
    throw error{errc::request_media_type, "The body must be of type application/json."};
  return create_request_of(in, in.body, false);
}

pipeline::job_request create_request_of(const request& in, std::string_view text,
                                        bool only_examined) {
  auto body = flat_object_of(text);
  const std::initializer_list<std::string_view> known = {"avatar_id", "video_path", "apply_blur",
                                                         "tutor_id",  "priority",   "force"};
  for (const auto& [name, value] : body.items())
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw error{errc::request_field_unknown,
                  "The body has a member " + quoted_name(name) +
                      " that this call does not know. Known: " + comma_list(known) + "."};
  auto result = pipeline::job_request{};
  take_job_query(result, in);
  if (!only_examined || body.contains("avatar_id"))
    result.avatar_id = avatar_id_field(text_member(required(body, "avatar_id"), "avatar_id"));
  result.video_path = video_path_member(text_member(required(body, "video_path"), "video_path"));
  result.video_name = display_name(result.video_path);
  if (auto x = body.find("apply_blur"); x != body.end())
    result.apply_blur = yes_no_member(*x, "apply_blur");
  if (auto x = body.find("force"); x != body.end())
    result.force = yes_no_member(*x, "force");
  if (auto x = body.find("priority"); x != body.end())
    result.priority = priority_field(text_member(*x, "priority"));
  if (auto x = body.find("tutor_id"); x != body.end() && !x->is_null())
    result.tutor_id = tutor_id_member(*x);
  return result;
}

} // namespace musetalk::http
