#pragma once

#include "pipeline/store_claims.hpp"

#include <filesystem>

namespace musetalk::pipeline {

/// Compares a store with its catalog while no service works on it; hold its lock. Changes nothing
/// of what they say.
/// @param root `AVATARS_DIR`.
/// @param failed_since As for `catalog::failed_uploads`.
/// @param deep Reads every file and compares its checksum.
/// @throws error `catalog_failed` when there is no catalog, it is damaged, or of another schema.
store_report check_offline(const std::filesystem::path& root, timestamp_us failed_since, bool deep);

} // namespace musetalk::pipeline
