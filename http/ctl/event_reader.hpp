#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace musetalk::http::ctl {

/// One server-sent event.
struct server_event {
  std::string type = "message";
  std::string id; ///< Empty: it has none of its own.
  std::string data;
};

/// Reads server-sent events (the HTML standard, 9.2.6) from a stream that comes in pieces.
class event_reader {
public:
  explicit event_reader(std::function<void(const server_event&)> take);

  /// @returns false when this is no stream of events: a line or an event of more than a megabyte.
  bool push(std::string_view bytes);

  /// Forgets what has begun, for a new connection; the last id stays.
  void restart();

  /// The id of the last event that had one: what to send as `Last-Event-ID`.
  const std::string& last_id() const { return last_id_; }

private:
  void take_line(std::string_view line);
  void end_event();

  std::function<void(const server_event&)> take_;
  std::string line_;
  server_event event_;
  std::string last_id_;
};

} // namespace musetalk::http::ctl
