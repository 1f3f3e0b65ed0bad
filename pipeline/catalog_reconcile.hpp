#pragma once

#include "pipeline/job.hpp"

#include <span>

namespace musetalk::pipeline {

namespace sqlite {
class database;
}

/// Makes avatars and versions of the catalog equal to what is on disk; see `catalog::reconcile`.
/// Call it inside a transaction.
void reconcile_catalog(sqlite::database& db, std::span<const avatar> on_disk);

} // namespace musetalk::pipeline
