#pragma once

#include "actors/observer.hpp"
#include "actors/system.hpp"
#include "config/load.hpp"
#include "config/settings.hpp"
#include "http/event_feed.hpp"
#include "http/exporter.hpp"
#include "http/front_end.hpp"
#include "http/instance_lock.hpp"
#include "http/request_figures.hpp"
#include "http/server.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace musetalk::http {

/// The whole service: lock, actors, front end and server, from settings to an orderly end.
///
/// Alive while it lives: the lock on `AVATARS_DIR`, all actors, all threads. Starts in well under a
/// second: networks are loaded behind its back, `/readyz` says when they are.
class service {
public:
  /// Takes `AVATARS_DIR`, recovers what a crash left, and starts the actors.
  /// @param fatal Told once, from any thread, when the service cannot go on; `stop` it then.
  /// @throws error `settings_invalid` when another process works on `AVATARS_DIR`; `storage_*`,
  /// `catalog_failed`.
  /// @param rows Where each setting comes from, for the console.
  service(const config::settings& settings, const actors::fatal_callback& fatal,
          std::vector<config::resolved_setting> rows = {});
  service(const service&) = delete;
  service& operator=(const service&) = delete;

  /// Stops, if that was not done.
  ~service();

  /// Starts to answer. @returns the bound port.
  /// @throws error `settings_invalid` when the address cannot be bound.
  uint16_t listen();

  /// Requests under way end, clients that wait for a job are told where it stands, then the actors
  /// end; running jobs are taken up again by the next start. May be called twice.
  /// @returns whether everything ended within `MUSETALKD_SHUTDOWN_SECONDS`.
  bool stop();

private:
  router make_routes();
  void end_front_end();

  config::settings settings_;
  std::vector<config::resolved_setting> rows_;
  instance_lock lock_;
  pipeline::weights_status weights_; ///< As they were at the start.
  pipeline::face_choice faces_;      ///< Made by them.
  std::shared_ptr<request_figures> requests_ = std::make_shared<request_figures>();
  std::shared_ptr<actors::observer> observer_;
  actors::service_system system_;
  front_end_actor front_end_;
  upload_closer_actor closer_;
  event_feed_actor events_;
  exporter_actor exporter_;
  http_server server_;
  actors::observer_thread observing_;
  bool stopped_ = false;
};

} // namespace musetalk::http
