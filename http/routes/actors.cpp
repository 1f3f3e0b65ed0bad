#include "http/actor_json.hpp"
#include "http/fields.hpp"
#include "http/routes/routes.hpp"

namespace musetalk::http {

namespace {

/// What names no actor is not found, whatever it looks like.
uint64_t actor_id_of(const request& in) {
  auto result = uint64_t{0};
  auto text = in.param("id");
  for (auto c : text) {
    if (c < '0' || c > '9' || text.size() > 18)
      return 0;
    result = result * 10 + static_cast<uint64_t>(c - '0');
  }
  return result;
}

/// Answers may not be kept: they are old a second later.
response fresh(const json& body) {
  auto result = json_response(200, body);
  result.headers.add("Cache-Control", "no-store");
  return result;
}

} // namespace

// None of these asks an actor: a service that is stuck can still be looked at.
void add_actor_routes(router& to, const route_context& context) {
  auto limits = route_limits{0};
  to.add("GET", "/mgmt/v1/actors", limits, [=](exchange_ptr x) {
    require_known_query(x->in(), {});
    x->respond(fresh(actors_json(*context.observer)));
  });
  to.add("GET", "/mgmt/v1/actors/:id", limits, [=](exchange_ptr x) {
    const auto& in = x->in();
    require_known_query(in, {"seconds"});
    auto seconds = in.query.contains("seconds")
                       ? whole_field("seconds", in.query_value("seconds"), 1, 3600)
                       : 300;
    auto body = actor_json(*context.observer, actor_id_of(in), static_cast<size_t>(seconds));
    if (body.is_null())
      throw error{errc::route_not_found, "No such actor is alive."};
    x->respond(fresh(body));
  });
  to.add("GET", "/mgmt/v1/device", limits, [](exchange_ptr x) {
    require_known_query(x->in(), {});
    x->respond(fresh(device_json(actors::read_figures())));
  });
  to.add("GET", "/mgmt/v1/settings", limits, [=](exchange_ptr x) {
    require_known_query(x->in(), {});
    x->respond(fresh(settings_json(context.settings)));
  });
}

} // namespace musetalk::http
