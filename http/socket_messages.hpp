#pragma once

#include "errors/error.hpp"
#include "pipeline/job.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace musetalk::http {

// What a client and the service say to each other on `/mgmt/v1/ws`: one JSON object in each text
// message. docs/asyncapi.yaml has the schema of each.

/// `{"subscribe": {}}`, with `job_id` or `avatar_id` in it, and `"after": SEQUENCE` beside it.
struct subscribe_message {
  std::string topic; ///< `all`, `job:ID` or `avatar:ID`.
  pipeline::event_query query;
};

/// `{"unsubscribe": {}}`: the same object as in the subscription.
struct unsubscribe_message {
  std::string topic;
};

/// `{"ping": TEXT or WHOLE NUMBER or null}`
struct ping_message {
  std::string value; ///< As JSON.
};

using client_message = std::variant<subscribe_message, unsubscribe_message, ping_message>;

/// Reads a message of a client.
/// @throws error `request_malformed`, `request_field_unknown`, `request_field_invalid`,
/// `avatar_id_invalid`.
client_message read_client_message(std::string_view text);

/// `{"type": TYPE, "topic": TOPIC, MEMBERS}`
/// @param members JSON members with commas between them, or nothing.
std::string server_message(std::string_view type, std::string_view topic,
                           std::string_view members = {});

/// `{"type": "pong", "ping": VALUE}`
std::string pong_message(std::string_view value);

/// `{"type": "error", "topic": TOPIC or null, "code", "detail", "hint"}`
std::string error_message(const error& what, std::string_view topic = {});

} // namespace musetalk::http
