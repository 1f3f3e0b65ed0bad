#include "http/event_feed.hpp"
#include "http/event_socket.hpp"
#include "http/fields.hpp"
#include "http/origin.hpp"
#include "http/routes/routes.hpp"

#include <caf/send.hpp>

namespace musetalk::http {

void add_socket_route(router& to, const route_context& context) {
  to.add("GET", "/mgmt/v1/ws", {0}, [=](const exchange_ptr& x) {
    require_known_query(x->in(), {});
    require_own_origin(x->in(), context.allowed_origins);
    x->upgrade({}, make_event_socket([feed = context.events](auto client, const auto& query) {
                 caf::anon_send(feed, follow_events{std::move(client), query});
               }));
  });
}

} // namespace musetalk::http
