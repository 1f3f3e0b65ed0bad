#include "http/json.hpp"
#include "http/routes/routes.hpp"

#include <caf/send.hpp>

namespace musetalk::http {

void add_health_routes(router& to, const route_context& context) {
  auto limits = route_limits{0};
  // Says that this process reads requests, and asks nobody: what a supervisor restarts on.
  to.add("GET", "/livez", limits, [](exchange_ptr x) {
    x->respond(json_response(200, {{"status", "ok"}}));
  });
  to.add("GET", "/readyz", limits,
         [=](exchange_ptr x) { caf::anon_send(context.front_end, show_readiness{std::move(x)}); });
  to.add("GET", "/health", limits,
         [=](exchange_ptr x) { caf::anon_send(context.front_end, show_health{std::move(x)}); });
}

} // namespace musetalk::http
