#include "actors/restart.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace musetalk::actors {

namespace {

using pipeline::job_state;

// A job may end between the publication of its version and the line in the catalog.
std::string published_version(pipeline::catalog& catalog, const pipeline::job& x) {
  auto avatar = catalog.find_avatar(x.request.avatar_id);
  if (!avatar)
    return {};
  for (const auto& version : avatar->versions)
    if (version.job_id == x.job_id)
      return version.version;
  return {};
}

std::string reason_of(const pipeline::job& x) {
  switch (x.state) {
  case job_state::completed:
    return "had published its version when the service ended";
  case job_state::cancelled:
    return "was being cancelled when the service ended";
  case job_state::queued:
    return "interrupted by the end of the service";
  default:
    return "interrupted too often";
  }
}

} // namespace

pipeline::job after_restart(pipeline::job x, const std::string& published, uint32_t max_attempts,
                            pipeline::timestamp_us now_us) {
  if (!published.empty()) {
    x.state = job_state::completed;
    x.version = published;
  } else if (x.state == job_state::cancelling) {
    x.state = job_state::cancelled;
  } else if (x.interruptions + 1 < max_attempts) {
    x.state = job_state::queued;
    ++x.attempt;
    ++x.interruptions;
    x.queued_us = now_us;
    x.timings_ms.clear();
    x.started_us = 0;
  } else {
    x.state = job_state::failed;
    x.failure = {errc::attempts_exhausted, "The job was interrupted by " +
                                               std::to_string(x.interruptions + 1) +
                                               " restarts of the service; the limit is " +
                                               std::to_string(max_attempts) + " attempts."};
  }
  if (is_final(x.state))
    x.finished_us = now_us;
  return x;
}

std::vector<pipeline::job> recover_jobs(pipeline::catalog& catalog, uint32_t max_attempts,
                                        pipeline::timestamp_us now_us) {
  auto result = std::vector<pipeline::job>{};
  for (const auto& interrupted : catalog.active_jobs()) {
    auto published = published_version(catalog, interrupted);
    auto x = after_restart(interrupted, published, max_attempts, now_us);
    catalog.move_job(x, "registry", reason_of(x));
    spdlog::info("job {} is {} after the restart: {}", x.job_id, to_string(x.state), reason_of(x));
    if (is_final(x.state))
      result.push_back(std::move(x));
  }
  return result;
}

} // namespace musetalk::actors
