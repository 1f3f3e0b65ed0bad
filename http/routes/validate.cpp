#include "http/create_request.hpp"
#include "http/fields.hpp"
#include "http/routes/routes.hpp"
#include "http/routes/upload_sink.hpp"

#include <caf/send.hpp>

#include <utility>

namespace musetalk::http {

namespace {

/// Takes a body of JSON: the path of a video below an allowed folder.
class path_sink : public body_sink {
public:
  path_sink(exchange_ptr to, const route_context& context) : to_(std::move(to)), context_(context) {
    require_known_query(to_->in(), {});
  }

  void write(std::span<const std::byte> bytes) override {
    if (body_.size() + bytes.size() > context_.max_body_bytes)
      throw error{errc::request_too_large, "The body has more than " +
                                               std::to_string(context_.max_body_bytes) +
                                               " bytes, the limit."};
    body_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

  void finish() override {
    auto wish = create_request_of(to_->in(), body_, true);
    caf::anon_send(context_.front_end, examine_video{to_, std::move(wish)});
  }

  void abort(const error&) noexcept override {}

private:
  exchange_ptr to_;
  route_context context_;
  std::string body_;
};

} // namespace

void add_validate_route(router& to, const route_context& context) {
  auto limits = route_limits{context.max_upload_bytes + multipart_overhead_bytes};
  to.add_upload("POST", "/mgmt/v1/avatars/validate", limits,
                [=](exchange_ptr x) -> std::unique_ptr<body_sink> {
                  if (has_json_body(x->in()))
                    return std::make_unique<path_sink>(std::move(x), context);
                  auto form = avatar_form();
                  form.required.clear();
                  form.examine = true;
                  return std::make_unique<upload_sink>(std::move(x), context, form);
                });
}

} // namespace musetalk::http
