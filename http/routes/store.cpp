#include "http/fields.hpp"
#include "http/routes/routes.hpp"

#include <caf/send.hpp>

namespace musetalk::http {

void add_store_routes(router& to, const route_context& context) {
  to.add("POST", "/mgmt/v1/store/check", {context.max_body_bytes}, [=](exchange_ptr x) {
    require_known_query(x->in(), {"deep"});
    auto deep = yes_no_query(x->in(), "deep");
    caf::anon_send(context.front_end, check_store{std::move(x), deep});
  });
}

} // namespace musetalk::http
