#include "http/fields.hpp"
#include "http/routes/routes.hpp"
#include "http/routes/upload_sink.hpp"

#include <caf/send.hpp>

#include <memory>

namespace musetalk::http {

namespace {

/// The form of an import.
upload_form archive_form() {
  auto result = upload_form{};
  result.file_field = "archive";
  result.text_fields = {"avatar_id", "tutor_id"};
  result.required = {"avatar_id"};
  result.kind = pipeline::job_kind::import_archive;
  result.take = [](pipeline::job_request& to, const std::string& name, const std::string& text) {
    if (name == "avatar_id")
      to.avatar_id = avatar_id_field(text);
    else
      to.tutor_id = tutor_id_field(text);
  };
  return result;
}

} // namespace

void add_archive_routes(router& to, const route_context& context) {
  auto wide = context;
  wide.max_upload_bytes = context.max_import_bytes;
  auto limits = route_limits{wide.max_upload_bytes + multipart_overhead_bytes};
  to.add_upload("POST", "/mgmt/v1/avatars/import", limits, [=](exchange_ptr x) {
    return std::make_unique<upload_sink>(std::move(x), wide, archive_form());
  });
  to.add("GET", "/mgmt/v1/avatars/:id/export", {0}, [=](exchange_ptr x) {
    require_known_query(x->in(), {"version"});
    auto id = actors::avatar_id{avatar_id_field(x->in().param("id"))};
    auto version = std::string{x->in().query_value("version")};
    caf::anon_send(context.exporter,
                   export_avatar{std::move(x), std::move(id), std::move(version)});
  });
}

} // namespace musetalk::http
