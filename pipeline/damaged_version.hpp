#pragma once

#include "pipeline/avatar_store.hpp"

#include <string>

namespace musetalk::pipeline {

/// Moves a version whose files are not what was written to `.store/.damaged`: it may be somebody's
/// only copy, and is kept there for a while. Its number is never used again.
/// @throws error `storage_*`.
void move_to_damaged(const store_layout& layout, const std::string& avatar_id,
                     const std::string& version);

/// The same for a version that may be current: the newest other one becomes current first, or the
/// avatar's link goes. @returns the version that is current then; empty for none.
/// @throws error `version_not_found`, `storage_*`.
std::string replace_damaged(const store_layout& layout, const std::string& avatar_id,
                            const std::string& version);

} // namespace musetalk::pipeline
