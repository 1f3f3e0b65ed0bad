#pragma once

#include "pipeline/avatar_store.hpp"

namespace musetalk::pipeline {

/// `avatar_store::link_version`. Crash-safe as a publication: the same order of steps.
avatar_version link_version(const store_layout& layout, const link_plan& plan);

} // namespace musetalk::pipeline
