#include "http/event_feed.hpp"
#include "http/fields.hpp"
#include "http/routes/routes.hpp"

#include <caf/send.hpp>

#include <limits>

namespace musetalk::http {

namespace {

/// The last event that a client has, if it has any.
int64_t known_to(const request& in) {
  auto id = in.headers.get("Last-Event-ID");
  return id.empty() ? -1 : whole_field("Last-Event-ID", id, 0, std::numeric_limits<int64_t>::max());
}

} // namespace

void add_event_routes(router& to, const route_context& context) {
  auto limits = route_limits{0};
  to.add("GET", "/mgmt/v1/events", limits, [=](exchange_ptr x) {
    const auto& in = x->in();
    require_known_query(in, {"avatar_id"});
    auto query = pipeline::event_query{};
    query.after = known_to(in);
    if (in.query.contains("avatar_id"))
      query.avatar_id = avatar_id_field(in.query_value("avatar_id"));
    caf::anon_send(context.events, follow_events{make_event_stream(x), std::move(query)});
  });
  to.add("GET", "/mgmt/v1/jobs/:id/events", limits, [=](exchange_ptr x) {
    const auto& in = x->in();
    require_known_query(in, {});
    auto query = pipeline::event_query{};
    query.after = known_to(in);
    query.job_id = in.param("id");
    caf::anon_send(context.events, follow_events{make_event_stream(x), std::move(query)});
  });
}

} // namespace musetalk::http
