#include "http/answers.hpp"

#include "http/json.hpp"
#include "http/problem.hpp"
#include "pipeline/avatar_tag.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace musetalk::http {

namespace {

/// Seconds after which a job will have left the queue, in bounds that help a client.
int64_t retry_after_s(const actors::queue_status& queue) {
  auto usual = problem_of(errc::queue_full).retry_after_s;
  return queue.free_s < 0. ? usual
                           : static_cast<int64_t>(std::clamp(std::ceil(queue.free_s), 1., 3600.));
}

/// A job that did not end well, for a client that waited for it.
response failed_job_response(const pipeline::job& job, const std::string& request_id) {
  auto failed = job.state == pipeline::job_state::failed;
  auto code = failed ? job.failure.code : errc::cancelled;
  auto body =
      problem_json(code, failed ? job.failure.detail : "The job was cancelled.", request_id);
  body["job_id"] = job.job_id;
  body["avatar_id"] = job.request.avatar_id;
  return problem_response(code, body);
}

} // namespace

response job_response(const pipeline::job_view& x, bool waited, const request& in) {
  const auto& job = x.record;
  auto done = job.state == pipeline::job_state::completed;
  // One that did not wait is told that its request was taken, and looks at the job later.
  if (waited && !done && is_final(job.state))
    return failed_job_response(job, in.id);
  auto body = accepted_json(x);
  auto created = done && waited;
  auto answer = json_response(created ? 201 : 202, body);
  auto made = job.request.kind == pipeline::job_kind::speak ? "video" : "avatar";
  answer.headers.add("Location", body["links"][created ? made : "job"].get<std::string>());
  if (waited && !in.query.contains("wait"))
    answer.headers.add("Preference-Applied", "wait");
  return marked(std::move(answer), x);
}

response queue_full_response(const std::string& detail, const actors::queue_status& queue,
                             const std::string& request_id) {
  auto body = problem_json(errc::queue_full, detail, request_id);
  auto seconds = retry_after_s(queue);
  body["retry_after_s"] = seconds;
  body["queue"] = {{"queued", queue.queued}, {"running", queue.running}, {"limit", queue.limit}};
  auto result = problem_response(errc::queue_full, body);
  result.headers.set("Retry-After", std::to_string(seconds));
  return result;
}

response versions_response(const pipeline::avatar& x) {
  auto answer = json_response(200, versions_json(x));
  answer.headers.add("ETag", pipeline::avatar_tag(x));
  return answer;
}

response marked(response answer, const pipeline::job_view& x) {
  if (x.replayed)
    answer.headers.add("Idempotency-Replayed", "true");
  return answer;
}

} // namespace musetalk::http
