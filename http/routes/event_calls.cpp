#include "http/api/call.hpp"

namespace musetalk::http::api {

namespace {

constexpr auto tag = std::string_view{"events"};

parameter last_event() {
  return {"Last-Event-ID", whole("The last event that the client has; 0: from the beginning."),
          parameter::place::header};
}

content events() {
  return {"text/event-stream", {}};
}

} // namespace

calls event_calls() {
  return {
      {"GET",
       "/mgmt/v1/events",
       "followAll",
       tag,
       "What happens to all jobs, as it happens",
       {{"avatar_id", text("Jobs of this avatar alone.")}, last_event()},
       {},
       {{200, "A stream that does not end; /asyncapi.json has its messages.", events(), {}}},
       asking({errc::avatar_id_invalid, errc::queue_full})},
      {"GET",
       "/mgmt/v1/jobs/:id/events",
       "followJob",
       tag,
       "What happens to one job, until it ends",
       {last_event()},
       {},
       {{200, "A stream; /asyncapi.json has its messages.", events(), {}},
        {204, "The job has ended, and the client knows that.", {}, {}}},
       asking({errc::job_not_found, errc::queue_full})},
      {"GET",
       "/mgmt/v1/ws",
       "openSocket",
       tag,
       "The same over a WebSocket",
       {},
       {},
       {{101, "The connection speaks WebSocket; /asyncapi.json has its messages.", {}, {}}},
       {errc::upgrade_required, errc::origin_forbidden, errc::queue_full}},
  };
}

} // namespace musetalk::http::api
