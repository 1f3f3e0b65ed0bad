#pragma once

#include "http/event_client.hpp"
#include "http/web_socket.hpp"

#include <functional>
#include <memory>

namespace musetalk::http {

/// Passes a client that wants to follow on to the EVENT FEED.
using event_follow =
    std::function<void(std::shared_ptr<event_client>, const pipeline::event_query&)>;

/// What events over a WebSocket cost.
struct event_socket_limits {
  size_t topics = 32;      ///< Of one socket.
  size_t bad_messages = 5; ///< In excess of good ones; then the socket is closed.
};

/// Who talks on `/mgmt/v1/ws`: reads what the client wants to follow, and answers its pings. One
/// question to the feed at a time: meanwhile nothing more is read of the client.
std::shared_ptr<web_socket_user> make_event_socket(event_follow follow,
                                                   event_socket_limits limits = {});

} // namespace musetalk::http
