#include "http/fields.hpp"
#include "http/routes/routes.hpp"

#include <caf/send.hpp>

namespace musetalk::http {

namespace {

/// A call without query and body about one avatar.
template <class Question>
void add_question(router& to, const route_context& context, const std::string& method,
                  const std::string& what, const Question& question) {
  to.add(method, "/mgmt/v1/avatars/:id/" + what, {context.max_body_bytes}, [=](exchange_ptr x) {
    require_known_query(x->in(), {});
    auto asked = question;
    asked.id = {avatar_id_field(x->in().param("id"))};
    asked.to = std::move(x);
    caf::anon_send(context.front_end, std::move(asked));
  });
}

} // namespace

void add_keeping_routes(router& to, const route_context& context) {
  add_question(to, context, "POST", "touch", touch_avatar{});
  add_question(to, context, "PUT", "pin", pin_avatar{nullptr, {}, true});
  add_question(to, context, "DELETE", "pin", pin_avatar{nullptr, {}, false});
  to.add("GET", "/mgmt/v1/store/retention", {0}, [=](exchange_ptr x) {
    require_known_query(x->in(), {});
    caf::anon_send(context.front_end, clean_store{std::move(x), false});
  });
  to.add("POST", "/mgmt/v1/store/clean", {context.max_body_bytes}, [=](exchange_ptr x) {
    require_known_query(x->in(), {});
    caf::anon_send(context.front_end, clean_store{std::move(x), true});
  });
}

} // namespace musetalk::http
