#pragma once

#include "errors/error.hpp"
#include "http/message.hpp"
#include "pipeline/job.hpp"
#include "pipeline/preflight.hpp"

#include <optional>

namespace musetalk::http {

/// `{passes, problems, warnings, video, would_make, queue}`: what a job of a video would meet.
/// @param job As it would be queued now; nothing when it would be refused with that code.
response examination_response(const pipeline::preflight_report& report,
                              const std::optional<pipeline::job_view>& job, errc refusal);

} // namespace musetalk::http
