#include "http/fields.hpp"
#include "http/routes/routes.hpp"
#include "http/routes/speech_sink.hpp"
#include "http/routes/upload_sink.hpp"

#include <caf/send.hpp>

namespace musetalk::http {

namespace {

/// The video is looked up as it came: what names none is not found.
actors::video_id video_of(const request& in) {
  return {avatar_id_field(in.param("id")), std::string{in.param("video")}};
}

} // namespace

void add_video_routes(router& to, const route_context& context) {
  auto limits = route_limits{context.max_upload_bytes + multipart_overhead_bytes};
  to.add_upload("POST", "/mgmt/v1/avatars/:id/videos", limits,
                [=](exchange_ptr x) { return open_speech_sink(std::move(x), context); });
  to.add("GET", "/mgmt/v1/avatars/:id/videos", {0}, [=](exchange_ptr x) {
    require_known_query(x->in(), {"limit", "cursor"});
    auto id = actors::avatar_id{avatar_id_field(x->in().param("id"))};
    auto page = page_of(x->in());
    caf::anon_send(context.front_end, list_videos{std::move(x), std::move(id), std::move(page)});
  });
  to.add("GET", "/mgmt/v1/avatars/:id/videos/:video", {0}, [=](exchange_ptr x) {
    require_known_query(x->in(), {});
    auto id = video_of(x->in());
    caf::anon_send(context.front_end, show_video{std::move(x), std::move(id)});
  });
  to.add("DELETE", "/mgmt/v1/avatars/:id/videos/:video", {0}, [=](exchange_ptr x) {
    require_known_query(x->in(), {});
    auto id = video_of(x->in());
    caf::anon_send(context.front_end, remove_video{std::move(x), std::move(id)});
  });
}

} // namespace musetalk::http
