#pragma once

#include "http/gate/deadlines.hpp"

namespace musetalk::http::gate {

/// Who holds a connection: it speaks HTTP, or has turned to WebSocket.
class client {
public:
  virtual ~client() = default;

  /// Looks at the time-outs. On the writer thread.
  virtual void sweep(time_point now) = 0;

  /// The server stops: what need not go on ends. Any thread.
  virtual void drain() = 0;

  /// Closes soon, whatever goes on. Any thread.
  virtual void cut() = 0;
};

} // namespace musetalk::http::gate
