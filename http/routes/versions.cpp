#include "http/fields.hpp"
#include "http/idempotency.hpp"
#include "http/routes/routes.hpp"

#include <caf/send.hpp>

namespace musetalk::http {

namespace {

/// The version is looked up as it came: what names none is not found.
actors::version_change change_of(const request& in) {
  auto result = actors::version_change{};
  result.avatar_id = avatar_id_field(in.param("id"));
  result.version = in.param("version");
  result.if_match = in.headers.get("If-Match");
  return result;
}

} // namespace

void add_version_routes(router& to, const route_context& context) {
  to.add("GET", "/mgmt/v1/avatars/:id/versions", {0}, [=](exchange_ptr x) {
    require_known_query(x->in(), {});
    auto id = actors::avatar_id{avatar_id_field(x->in().param("id"))};
    caf::anon_send(context.front_end, list_versions{std::move(x), std::move(id)});
  });
  to.add("POST", "/mgmt/v1/avatars/:id/versions/:version/activate", {context.max_body_bytes},
         [=](exchange_ptr x) {
           const auto& in = x->in();
           require_known_query(in, {});
           auto change = change_of(in);
           change.key = sealed(idempotency_key_of(in), in, {});
           caf::anon_send(context.front_end, activate_version{std::move(x), std::move(change)});
         });
  to.add("DELETE", "/mgmt/v1/avatars/:id/versions/:version", {0}, [=](exchange_ptr x) {
    require_known_query(x->in(), {});
    auto change = change_of(x->in());
    caf::anon_send(context.front_end, remove_version{std::move(x), std::move(change)});
  });
}

} // namespace musetalk::http
