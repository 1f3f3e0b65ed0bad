#pragma once

// What clients are told, made of what the actors answered.

#include "actors/interfaces.hpp"
#include "http/message.hpp"
#include "pipeline/job.hpp"

#include <string>

namespace musetalk::http {

/// What became of the job that a client asked for: 202, or when it waited 201 or the job's failure.
response job_response(const pipeline::job_view& x, bool waited, const request& in);

/// 429 that says how long the queue is and when to come back: `Retry-After` is the estimate of when
/// a job leaves the queue, in bounds that help a client.
response queue_full_response(const std::string& detail, const actors::queue_status& queue,
                             const std::string& request_id);

/// An avatar's versions, with the tag that changes of it may name.
response versions_response(const pipeline::avatar& x);

/// Tells a client, where it is so, that its request had had its effect before.
response marked(response answer, const pipeline::job_view& x);

} // namespace musetalk::http
