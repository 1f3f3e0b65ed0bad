#pragma once

#include "actors/interfaces.hpp"
#include "actors/observer.hpp"
#include "config/load.hpp"
#include "http/event_feed.hpp"
#include "http/exporter.hpp"
#include "http/front_end.hpp"
#include "http/request_figures.hpp"
#include "http/router.hpp"
#include "pipeline/avatar_store.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace musetalk::http {

/// What routes need of the service. Copied into each handler: handles and numbers only.
struct route_context {
  front_end_actor front_end;
  upload_closer_actor closer;
  event_feed_actor events;
  exporter_actor exporter;
  std::function<actors::upload_receiver_actor()> uploads; ///< As in `front_end_config`.
  pipeline::store_layout store;
  uint64_t max_upload_bytes = 0;
  uint64_t max_import_bytes = 0;
  uint64_t max_body_bytes = 0;              ///< Of requests that are no uploads.
  std::chrono::seconds max_wait{0};         ///< Longest `?wait=`.
  std::vector<std::string> allowed_origins; ///< Of pages that may open a WebSocket.
  // -- for operators
  std::string mode; ///< `native` or `mock`.
  std::shared_ptr<const actors::observer> observer;
  std::shared_ptr<const request_figures> requests;
  std::vector<config::resolved_setting> settings; ///< As they came out, secrets hidden.
};

/// The whole REST interface, with errors rendered as problem+json.
router make_router(const route_context& context);

// -- its parts -----------------------------------------------------------------

/// `/mgmt/v1/avatars` and below, `upload` apart.
void add_avatar_routes(router& to, const route_context& context);

/// `/mgmt/v1/avatars/{id}/versions` and below.
void add_version_routes(router& to, const route_context& context);

/// `POST /mgmt/v1/avatars/upload`.
void add_upload_route(router& to, const route_context& context);

/// `/mgmt/v1/avatars/{id}/videos` and below.
void add_video_routes(router& to, const route_context& context);
/// `export` of an avatar, and `POST /mgmt/v1/avatars/import`.
void add_archive_routes(router& to, const route_context& context);

/// `touch` and `pin` of an avatar, `/mgmt/v1/store` and below.
void add_keeping_routes(router& to, const route_context& context);

/// `POST /mgmt/v1/avatars/validate`.
void add_validate_route(router& to, const route_context& context);

/// `/mgmt/v1/jobs` and below.
void add_job_routes(router& to, const route_context& context);

/// `/mgmt/v1/events` and those of one job.
void add_event_routes(router& to, const route_context& context);

/// `/mgmt/v1/ws`: the same over a WebSocket.
void add_socket_route(router& to, const route_context& context);

/// `/openapi.json`, `/asyncapi.json`, and `/docs`, a page that shows both.
void add_document_routes(router& to);

/// `/mgmt/v1/store/check`.
void add_store_routes(router& to, const route_context& context);

/// `/health`, `/livez`, `/readyz`.
void add_health_routes(router& to, const route_context& context);

/// `/mgmt/v1/actors` and below, `/mgmt/v1/device`, `/mgmt/v1/settings`.
void add_actor_routes(router& to, const route_context& context);

/// `/metrics`.
void add_metrics_route(router& to, const route_context& context);

/// `/console` and its files.
void add_console_routes(router& to);

} // namespace musetalk::http
