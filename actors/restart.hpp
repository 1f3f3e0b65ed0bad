#pragma once

#include "pipeline/catalog.hpp"
#include "pipeline/job.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace musetalk::actors {

/// Decides what becomes of a job that was `running` or `cancelling` when the service ended, as one
/// table:
///
/// | it was | and | it becomes |
/// |---|---|---|
/// | running or cancelling | a version of it is published | completed |
/// | cancelling | nothing is published | cancelled |
/// | running | it may be tried again | queued, attempt + 1 |
/// | running | it was interrupted `max_attempts` times | failed, `attempts_exhausted` |
///
/// Attempts that a client asked for do not count: a retry begins anew.
///
/// @param published Name of the version that the job made; empty when it made none.
/// @returns The job as it shall be stored.
pipeline::job after_restart(pipeline::job x, const std::string& published, uint32_t max_attempts,
                            pipeline::timestamp_us now_us);

/// Applies the table to all interrupted jobs of the catalog, durably.
/// @returns The jobs that are final now: their uploads are of no use any more.
/// @throws error `catalog_failed`.
std::vector<pipeline::job> recover_jobs(pipeline::catalog& catalog, uint32_t max_attempts,
                                        pipeline::timestamp_us now_us);

} // namespace musetalk::actors
