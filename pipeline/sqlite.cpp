#include "pipeline/sqlite.hpp"

#include "errors/error.hpp"
#include "pipeline/disk.hpp"
#include "pipeline/failpoint.hpp"

#include <sqlite3.h>

#include <cerrno>

namespace musetalk::pipeline::sqlite {

namespace {

/// What a failed call means to an operator, by SQLite's primary result code.
std::string detail_of(int code) {
  switch (code & 0xff) {
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return "The catalog is in use by another process.";
  case SQLITE_NOTADB:
    return "The catalog's file is no database.";
  case SQLITE_CORRUPT:
    return "The catalog's file is damaged.";
  case SQLITE_CANTOPEN:
    return "The catalog's file cannot be opened.";
  case SQLITE_READONLY:
  case SQLITE_PERM:
    return "The catalog's file cannot be written.";
  case SQLITE_IOERR:
    return "The disk failed at the catalog.";
  default:
    return "The catalog refused an operation.";
  }
}

} // namespace

// -- statement -----------------------------------------------------------------

statement::statement(database& owner, std::string_view sql) : owner_(owner) {
  if (auto code = sqlite3_prepare_v3(owner.handle(), sql.data(), static_cast<int>(sql.size()),
                                     SQLITE_PREPARE_PERSISTENT, &handle_, nullptr);
      code != SQLITE_OK)
    owner.fail(code);
}

statement::~statement() {
  sqlite3_finalize(handle_);
}

statement& statement::bind(int32_t index, int64_t value) {
  if (auto code = sqlite3_bind_int64(handle_, index, value); code != SQLITE_OK)
    owner_.fail(code);
  return *this;
}

statement& statement::bind(int32_t index, const std::string& value) {
  if (auto code = sqlite3_bind_text64(handle_, index, value.data(), value.size(), SQLITE_TRANSIENT,
                                      SQLITE_UTF8);
      code != SQLITE_OK)
    owner_.fail(code);
  return *this;
}

statement& statement::bind_real(int32_t index, double value) {
  if (auto code = sqlite3_bind_double(handle_, index, value); code != SQLITE_OK)
    owner_.fail(code);
  return *this;
}

statement& statement::bind_null(int32_t index) {
  if (auto code = sqlite3_bind_null(handle_, index); code != SQLITE_OK)
    owner_.fail(code);
  return *this;
}

bool statement::step() {
  auto code = sqlite3_step(handle_);
  if (code == SQLITE_ROW)
    return true;
  reset();
  if (code != SQLITE_DONE)
    owner_.fail(code);
  return false;
}

void statement::run() {
  while (step()) {
    // rows are of no interest
  }
}

void statement::reset() noexcept {
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
}

int64_t statement::integer(int32_t column) const {
  return sqlite3_column_int64(handle_, column);
}

double statement::real(int32_t column) const {
  return sqlite3_column_double(handle_, column);
}

std::string statement::text(int32_t column) const {
  auto data = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  auto size = static_cast<size_t>(sqlite3_column_bytes(handle_, column));
  return data == nullptr ? std::string{} : std::string{data, size};
}

bool statement::is_null(int32_t column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

// -- database ------------------------------------------------------------------

database::database(const std::filesystem::path& path) : path_(path) {
  auto flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
               SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
  // SQLITE_OPEN_NOFOLLOW refuses links anywhere in the path, also in the folder an operator chose.
  auto reason = std::error_code{};
  auto folder =
      std::filesystem::canonical(path.has_parent_path() ? path.parent_path() : ".", reason);
  auto file = reason ? path : folder / path.filename();
  if (auto code = sqlite3_open_v2(file.c_str(), &handle_, flags, nullptr); code != SQLITE_OK) {
    sqlite3_close(handle_);
    handle_ = nullptr;
    throw error(errc::catalog_failed, detail_of(code),
                std::string{sqlite3_errstr(code)} + ": " + path.string());
  }
  sqlite3_busy_timeout(handle_, 2000);
  // In this mode a lock is never given up: there is no second connection while this one lives.
  execute("PRAGMA locking_mode = EXCLUSIVE");
}

database::~database() {
  kept_.clear();
  sqlite3_close(handle_);
}

void database::execute(const std::string& sql) {
  if (auto code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr); code != SQLITE_OK)
    fail(code);
}

borrowed_statement database::borrow(const std::string& sql) {
  auto& kept = kept_[sql];
  if (!kept)
    kept = std::make_unique<statement>(*this, sql);
  return borrowed_statement{kept.get()};
}

int64_t database::value_of(std::string_view sql) {
  auto query = statement{*this, sql};
  return query.step() ? query.integer(0) : 0;
}

std::string database::text_of(std::string_view sql) {
  auto query = statement{*this, sql};
  return query.step() ? query.text(0) : std::string{};
}

int64_t database::changes() const {
  return sqlite3_changes64(handle_);
}

void database::fail(int code) const {
  auto cause =
      std::string{sqlite3_errmsg(handle_)} + " (" + std::to_string(code) + "): " + path_.string();
  if ((code & 0xff) != SQLITE_FULL)
    throw error(errc::catalog_failed, detail_of(code), cause);
  auto space = disk_space_of(path_);
  throw error(errc::storage_full,
              "No space is left on the disk for the catalog" +
                  (space ? ": " + std::to_string(space->free_bytes) + " of " +
                               std::to_string(space->total_bytes) + " bytes are free."
                         : std::string{"."}),
              cause);
}

// -- transaction ---------------------------------------------------------------

transaction::transaction(database& owner, const char* name) : owner_(owner), name_(name) {
  owner_.execute("BEGIN IMMEDIATE");
}

transaction::~transaction() {
  // After some failures SQLite has rolled back already; then this one has nothing to do.
  if (open_ && sqlite3_get_autocommit(owner_.handle()) == 0)
    sqlite3_exec(owner_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void transaction::commit() {
  if (auto reason = failpoint(name_); reason != 0)
    owner_.fail(reason == ENOSPC ? SQLITE_FULL : SQLITE_IOERR);
  owner_.execute("COMMIT");
  open_ = false;
  failpoint(name_, ".done");
}

} // namespace musetalk::pipeline::sqlite
