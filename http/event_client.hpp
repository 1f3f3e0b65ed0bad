#pragma once

#include "errors/error.hpp"
#include "http/exchange.hpp"
#include "pipeline/job.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace musetalk::http {

// How what happens reaches one client: as server-sent events, or as a topic of a WebSocket. The
// EVENT FEED says what is told when; these say how it looks and where it goes.

/// A client that is told what happens. The EVENT FEED's alone; nothing here blocks.
class event_listener {
public:
  virtual ~event_listener() = default;

  // Each returns false when the client is lost: it left, or reads too slowly for what must not be
  // dropped.

  /// More of what it missed; the last page says where things stand.
  virtual bool tell(const pipeline::event_page& page) = 0;

  /// A state of a job. @param data The event as JSON.
  virtual bool tell(int64_t sequence, std::string_view data) = 0;

  /// How far jobs are. @param jobs Each as JSON.
  virtual bool tell(std::span<const std::string_view> jobs) = 0;

  /// There has been nothing to tell for a while.
  virtual bool tell_alive() = 0;

  /// The one job that it follows has ended, and it knows.
  virtual void end() = 0;

  /// The client is lost: it shall come back.
  virtual void lose() = 0;

  /// Whether it still wants to be told.
  virtual bool open() const noexcept = 0;

  /// Bytes that it has not taken.
  virtual size_t backlog() const noexcept = 0;
};

/// A client that wants to be told; asked once.
class event_client {
public:
  virtual ~event_client() = default;

  /// Begins with the first page of what it missed.
  /// @param ends The one job that it follows has ended: nothing will follow.
  /// @param after The last event that it had; negative: none.
  /// @returns null when there is nobody to tell any more.
  virtual std::shared_ptr<event_listener> begin(const pipeline::event_page& page, bool ends,
                                                int64_t after) = 0;

  virtual void refuse(const error& why) = 0;
};

/// Answers with a stream of server-sent events; 204 when the one job has ended and the client knows
/// that, so that a browser comes back no more.
std::shared_ptr<event_client> make_event_stream(exchange_ptr to);

} // namespace musetalk::http
