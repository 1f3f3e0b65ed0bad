#include "http/examination.hpp"

#include "http/json.hpp"
#include "http/problem.hpp"

#include <utility>

namespace musetalk::http {

namespace {

json finding_json(const pipeline::preflight_finding& x) {
  const auto& known = problem_of(errc_from_string(x.code));
  return {{"code", x.code},
          {"detail", x.detail},
          {"hint", x.hint.empty() ? json(known.hint) : json(x.hint)},
          {"frames", x.frames}};
}

/// Null when the container could not be read.
json video_json(const pipeline::media_info& info) {
  if (info.width == 0)
    return {};
  return {{"container", info.container},
          {"codec", info.video_codec},
          {"width", info.width},
          {"height", info.height},
          {"duration_s", rounded(info.duration_s, 1e3)},
          {"frame_rate", rounded(info.frame_rate, 1e3)},
          {"has_audio", info.has_audio},
          {"bytes", info.bytes}};
}

json queue_json(const std::optional<pipeline::job_view>& job, errc refusal) {
  return {{"accepts", job.has_value()},
          {"code", job ? json{} : json(to_string(refusal))},
          {"position", job ? json(job->position) : json{}},
          {"eta_s", job && job->eta_s >= 0. ? json(rounded(job->eta_s, 10.)) : json{}},
          {"reuses", job && job->reused}};
}

} // namespace

response examination_response(const pipeline::preflight_report& report,
                              const std::optional<pipeline::job_view>& job, errc refusal) {
  auto problems = json::array();
  auto warnings = json::array();
  for (const auto& x : report.findings)
    (x.fails_job ? problems : warnings).push_back(finding_json(x));
  auto make = json{{"frames", report.info.predicted_frames},
                   {"bytes", report.version_bytes},
                   {"samples_looked_at", report.samples}};
  return json_response(200, {{"passes", report.passes()},
                             {"problems", std::move(problems)},
                             {"warnings", std::move(warnings)},
                             {"video", video_json(report.info)},
                             {"would_make", std::move(make)},
                             {"queue", queue_json(job, refusal)}});
}

} // namespace musetalk::http
