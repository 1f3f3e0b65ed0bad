#pragma once

#include <memory>
#include <string>

#include "http/gate/client.hpp"
#include "http/gate/turn.hpp"
#include "http/gate/unique_fd.hpp"
#include "http/web_socket.hpp"

namespace musetalk::http::gate {

class hub;

/// A connection that has turned, or is about to turn, to WebSocket.
class socket_session : public web_socket, public client {
public:
  /// Takes the socket over: what is queued goes, messages come. Once; any thread.
  /// @param socket Nobody else's; none: the client has left before.
  /// @param early Bytes of the client that were read already.
  virtual void start(unique_fd socket, std::string early) = 0;
};

/// @param x The turn whose answer it is; it ends with the socket.
/// @throws error with `errc::queue_full` when there are as many as allowed.
std::shared_ptr<socket_session> make_socket_session(std::shared_ptr<hub> shared,
                                                    std::shared_ptr<turn> x,
                                                    web_socket_options options,
                                                    std::shared_ptr<web_socket_user> user);

} // namespace musetalk::http::gate
