#pragma once

namespace musetalk::pipeline {

namespace sqlite {
class database;
}

/// Brings the catalog's tables to what this program knows, step by step, each in one transaction.
/// A new file gets all steps. Checks before that the file is a catalog of ours and whole.
/// @throws error `catalog_failed` when it is foreign, damaged or of a newer program;
/// `storage_full`.
void migrate_catalog(sqlite::database& db);

/// Checks the same without changing anything. @throws error `catalog_failed`, also for an older
/// schema.
void require_catalog(sqlite::database& db);

/// The newest schema this program knows.
int catalog_schema_version() noexcept;

} // namespace musetalk::pipeline
