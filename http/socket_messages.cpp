#include "http/socket_messages.hpp"

#include "http/fields.hpp"
#include "http/json.hpp"
#include "http/problem.hpp"

#include <array>

namespace musetalk::http {

namespace {

/// Most bytes of a job's id, and of the text in a ping.
constexpr auto max_text_bytes = size_t{64};

const json& object_member(const json& in, std::string_view name) {
  const auto& x = in.at(std::string{name});
  if (!x.is_object())
    refuse_field(name, "must be an object");
  return x;
}

/// Texts of an object that may have only one member, or none.
std::string text_member(const json& in, std::string_view name) {
  auto found = in.find(std::string{name});
  if (found == in.end())
    return {};
  if (!found->is_string() || found->get_ref<const std::string&>().empty() ||
      found->get_ref<const std::string&>().size() > max_text_bytes)
    refuse_field(name, "must be a text of 1 to " + std::to_string(max_text_bytes) + " bytes");
  return *found;
}

/// Sets whose events; @returns the name of the topic.
std::string read_topic(const json& in, std::string_view verb, pipeline::event_query& out) {
  const auto& x = object_member(in, verb);
  out.job_id = text_member(x, "job_id");
  out.avatar_id = text_member(x, "avatar_id");
  if (x.size() > 1 || (x.size() == 1 && out.job_id.empty() && out.avatar_id.empty()))
    throw error{errc::request_field_unknown,
                std::string{verb} + " takes job_id or avatar_id, or nothing for all."};
  if (!out.avatar_id.empty())
    return "avatar:" + avatar_id_field(out.avatar_id);
  return out.job_id.empty() ? "all" : "job:" + out.job_id;
}

int64_t read_after(const json& in) {
  auto found = in.find("after");
  if (found == in.end())
    return -1;
  if (!found->is_number_integer() || found->is_number_float() ||
      (found->is_number_unsigned() && found->get<uint64_t>() > INT64_MAX) ||
      found->get<int64_t>() < 0)
    refuse_field("after", "must be the sequence of an event, or 0");
  return found->get<int64_t>();
}

std::string read_ping(const json& in) {
  const auto& x = in.at("ping");
  auto text = x.is_string() && x.get_ref<const std::string&>().size() <= max_text_bytes;
  if (!text && !x.is_number_integer() && !x.is_null())
    refuse_field("ping", "must be a text of at most " + std::to_string(max_text_bytes) +
                             " bytes, a whole number or null");
  return text_of(x);
}

void require_known_members(const json& in) {
  auto verbs = size_t{0};
  for (const auto& x : in.items()) {
    auto verb = x.key() == "subscribe" || x.key() == "unsubscribe" || x.key() == "ping";
    verbs += verb;
    if (!verb && (x.key() != "after" || !in.contains("subscribe")))
      throw error{errc::request_field_unknown,
                  "A message has one of subscribe, unsubscribe and ping, and after beside "
                  "subscribe; nothing else."};
  }
  if (verbs != 1)
    throw error{errc::request_field_missing,
                "A message needs exactly one of subscribe, unsubscribe and ping."};
}

std::string quoted(std::string_view text) {
  return text_of(json(text));
}

} // namespace

client_message read_client_message(std::string_view text) {
  auto in = json::parse(text, nullptr, false);
  if (!in.is_object())
    throw error{errc::request_malformed, "The message is no JSON object."};
  require_known_members(in);
  if (in.contains("ping"))
    return ping_message{read_ping(in)};
  if (in.contains("unsubscribe")) {
    auto ignored = pipeline::event_query{};
    return unsubscribe_message{read_topic(in, "unsubscribe", ignored)};
  }
  auto result = subscribe_message{};
  result.query.after = read_after(in);
  result.topic = read_topic(in, "subscribe", result.query);
  return result;
}

std::string server_message(std::string_view type, std::string_view topic,
                           std::string_view members) {
  auto result = std::string{R"({"type":")"};
  result.append(type).append(R"(","topic":)").append(quoted(topic));
  if (!members.empty())
    result.append(",").append(members);
  return result.append("}");
}

std::string pong_message(std::string_view value) {
  return std::string{R"({"type":"pong","ping":)"}.append(value).append("}");
}

std::string error_message(const error& what, std::string_view topic) {
  const auto& known = problem_of(what.code());
  return text_of({{"type", "error"},
                  {"topic", topic.empty() ? json{} : json(topic)},
                  {"code", to_string(known.code)},
                  {"detail", what.detail().empty() ? std::string{known.title} : what.detail()},
                  {"hint", known.hint}});
}

} // namespace musetalk::http
