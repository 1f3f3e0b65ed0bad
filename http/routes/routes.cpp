#include "http/routes/routes.hpp"

#include "http/problem.hpp"

namespace musetalk::http {

router make_router(const route_context& context) {
  auto result = router{};
  result.on_error(render_problem);
  add_avatar_routes(result, context);
  add_version_routes(result, context);
  add_keeping_routes(result, context);
  add_archive_routes(result, context);
  add_upload_route(result, context);
  add_validate_route(result, context);
  add_video_routes(result, context);
  add_job_routes(result, context);
  add_event_routes(result, context);
  add_socket_route(result, context);
  add_store_routes(result, context);
  add_health_routes(result, context);
  add_document_routes(result);
  add_actor_routes(result, context);
  add_metrics_route(result, context);
  add_console_routes(result);
  return result;
}

} // namespace musetalk::http
