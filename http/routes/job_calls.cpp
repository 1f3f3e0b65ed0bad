#include "http/api/call.hpp"

namespace musetalk::http::api {

namespace {

constexpr auto tag = std::string_view{"jobs"};

} // namespace

calls job_calls() {
  return {
      {"GET",
       "/mgmt/v1/jobs",
       "listJobs",
       tag,
       "Lists jobs, the newest first",
       {limit(),
        cursor(),
        {"status", text("States with commas between them.")},
        {"avatar_id", text()},
        {"tutor_id", text()}},
       {},
       {{200, "A page.", json_of("JobPage"), {}}},
       asking({errc::avatar_id_invalid})},
      {"GET",
       "/mgmt/v1/jobs/:id",
       "getJob",
       tag,
       "One job",
       {{"history", yes_no("With all that happened to it.")}},
       {},
       {{200, "The job.", json_of("JobHistory"), {}}},
       asking({errc::job_not_found})},
      {"POST",
       "/mgmt/v1/jobs/:id/cancel",
       "cancelJob",
       tag,
       "Withdraws a job",
       {idempotency_key()},
       {},
       {{200, "It is cancelled.", json_of("Job"), {"Idempotency-Replayed"}},
        {202, "Its runner lets go soon.", json_of("Job"), {"Idempotency-Replayed"}}},
       asking({errc::job_not_found, errc::job_finished, errc::key_reused, errc::key_in_use,
               errc::storage_full})},
      {"POST",
       "/mgmt/v1/jobs/:id/retry",
       "retryJob",
       tag,
       "Tries a failed or cancelled job again",
       {idempotency_key()},
       {},
       {{202, "It is queued once more.", json_of("Job"), {"Idempotency-Replayed"}}},
       asking({errc::job_not_found, errc::job_finished, errc::job_active, errc::job_source_gone,
               errc::key_reused, errc::key_in_use, errc::queue_full, errc::models_missing,
               errc::models_invalid, errc::device_busy, errc::storage_full, errc::storage_failed,
               errc::worker_died})},
  };
}

} // namespace musetalk::http::api
