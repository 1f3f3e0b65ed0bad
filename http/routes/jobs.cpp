#include "http/fields.hpp"
#include "http/idempotency.hpp"
#include "http/routes/routes.hpp"

#include <caf/send.hpp>

namespace musetalk::http {

namespace {

/// An id that names no job is answered as any unknown job: whoever asks learns nothing more.
actors::job_id job_id_of(const request& in) {
  return {std::string{in.param("id")}};
}

/// `?status=queued,running`.
std::vector<pipeline::job_state> states_of(std::string_view text) {
  auto result = std::vector<pipeline::job_state>{};
  while (!text.empty()) {
    auto end = std::min(text.find(','), text.size());
    auto state = pipeline::job_state_from_string(text.substr(0, end));
    if (!state)
      throw error{errc::request_field_invalid,
                  "status must be a list of queued, running, cancelling, completed, failed, "
                  "cancelled with commas between them."};
    result.push_back(*state);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

pipeline::job_filter job_filter_of(const request& in) {
  auto result = pipeline::job_filter{};
  result.states = states_of(in.query_value("status"));
  if (in.query.contains("avatar_id"))
    result.avatar_id = avatar_id_field(in.query_value("avatar_id"));
  result.tutor_id = tutor_id_field(in.query_value("tutor_id"));
  return result;
}

/// A POST that changes one job, as `Question` asks it of the FRONT END.
template <class Question>
auto changing_job(const route_context& context) {
  return [=](exchange_ptr x) {
    const auto& in = x->in();
    require_known_query(in, {});
    auto key = sealed(idempotency_key_of(in), in, {});
    caf::anon_send(context.front_end, Question{x, job_id_of(in), std::move(key)});
  };
}

} // namespace

void add_job_routes(router& to, const route_context& context) {
  auto limits = route_limits{0};
  to.add("GET", "/mgmt/v1/jobs", limits, [=](exchange_ptr x) {
    const auto& in = x->in();
    require_known_query(in, {"limit", "cursor", "status", "avatar_id", "tutor_id"});
    caf::anon_send(context.front_end, list_jobs{x, job_filter_of(in), page_of(in)});
  });
  to.add("GET", "/mgmt/v1/jobs/:id", limits, [=](exchange_ptr x) {
    const auto& in = x->in();
    require_known_query(in, {"history"});
    caf::anon_send(context.front_end, show_job{x, job_id_of(in), yes_no_query(in, "history")});
  });
  auto with_body = route_limits{context.max_body_bytes};
  to.add("POST", "/mgmt/v1/jobs/:id/cancel", with_body, changing_job<cancel_job>(context));
  to.add("POST", "/mgmt/v1/jobs/:id/retry", with_body, changing_job<retry_job>(context));
}

} // namespace musetalk::http
