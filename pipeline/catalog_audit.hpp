#pragma once

#include "pipeline/sqlite.hpp"
#include "pipeline/store_claims.hpp"

#include <filesystem>

namespace musetalk::pipeline {

/// As `catalog::claims`. Call it inside a transaction, or as the only user.
store_claims read_claims(sqlite::database& db, timestamp_us failed_since);

/// The same from a catalog that no service has open. Changes nothing of what it says.
/// @throws error `catalog_failed` when there is none, it is damaged, or of another schema.
store_claims read_claims(const std::filesystem::path& file, timestamp_us failed_since);

} // namespace musetalk::pipeline
