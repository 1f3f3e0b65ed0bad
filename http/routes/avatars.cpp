#include "http/create_request.hpp"
#include "http/fields.hpp"
#include "http/idempotency.hpp"
#include "http/routes/routes.hpp"

#include <caf/send.hpp>

namespace musetalk::http {

namespace {

actors::avatar_id avatar_id_of(const request& in) {
  return {avatar_id_field(in.param("id"))};
}

std::string status_of(const request& in) {
  auto status = in.query_value("status");
  if (!status.empty() && status != "ready" && status != "preparing" && status != "failed")
    throw error{errc::request_field_invalid, "status must be ready, preparing or failed."};
  return std::string{status};
}

void add_picture(router& to, const route_context& context, const std::string& file) {
  to.add("GET", "/mgmt/v1/avatars/:id/" + file, {0}, [=](exchange_ptr x) {
    caf::anon_send(context.front_end, show_picture{x, avatar_id_of(x->in()), file});
  });
}

} // namespace

void add_avatar_routes(router& to, const route_context& context) {
  auto limits = route_limits{0};
  to.add("GET", "/mgmt/v1/avatars", limits, [=](exchange_ptr x) {
    const auto& in = x->in();
    require_known_query(in, {"limit", "cursor", "tutor_id", "status", "detail"});
    auto filter =
        pipeline::avatar_filter{tutor_id_field(in.query_value("tutor_id")), status_of(in)};
    caf::anon_send(context.front_end,
                   list_avatars{x, std::move(filter), page_of(in), yes_no_query(in, "detail")});
  });
  to.add("POST", "/mgmt/v1/avatars/create", {context.max_body_bytes}, [=](exchange_ptr x) {
    const auto& in = x->in();
    require_known_query(in, job_query);
    auto wait = wait_of(in, context.max_wait);
    auto wish = create_request_of(in);
    wish.key = sealed(idempotency_key_of(in), in,
                      {wish.avatar_id, wish.video_path, wish.tutor_id, wish.apply_blur ? "1" : "0",
                       to_string(wish.priority), wish.force ? "1" : "0"});
    caf::anon_send(context.front_end, create_avatar{x, std::move(wish), wait});
  });
  to.add("GET", "/mgmt/v1/avatars/:id", limits, [=](exchange_ptr x) {
    require_known_query(x->in(), {});
    caf::anon_send(context.front_end, show_avatar{x, avatar_id_of(x->in())});
  });
  to.add("DELETE", "/mgmt/v1/avatars/:id", limits, [=](exchange_ptr x) {
    const auto& in = x->in();
    require_known_query(in, {"force"});
    caf::anon_send(context.front_end, remove_avatar{x, avatar_id_of(in), yes_no_query(in, "force"),
                                                    std::string{in.headers.get("If-Match")}});
  });
  add_picture(to, context, "preview.jpg");
  add_picture(to, context, "contact_sheet.jpg");
  add_picture(to, context, "video.mp4");
}

} // namespace musetalk::http
