#pragma once

#include "pipeline/avatar_store.hpp"

#include <span>
#include <string>

namespace musetalk::pipeline {

/// What `avatar_store::recover` does; what it removes lies in the trash afterwards. Idempotent: a
/// crash in the middle is made good by the next
/// start.
store_scan recover_store(const store_layout& layout, std::span<const std::string> kept_uploads,
                         std::span<const std::string> running_jobs, const store_policy& policy);

} // namespace musetalk::pipeline
