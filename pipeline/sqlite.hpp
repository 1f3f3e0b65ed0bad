#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

struct sqlite3;
struct sqlite3_stmt;

namespace musetalk::pipeline::sqlite {

class database;

/// A compiled statement. Parameters count from 1, columns from 0, as in SQLite.
class statement {
public:
  statement(database& owner, std::string_view sql);
  statement(const statement&) = delete;
  statement& operator=(const statement&) = delete;
  ~statement();

  statement& bind(int32_t index, int64_t value);
  statement& bind(int32_t index, const std::string& value);
  statement& bind_real(int32_t index, double value);
  statement& bind_null(int32_t index);

  /// The next row; false when there is no more, and the statement is ready for its next use.
  bool step();

  /// Runs to the end, rows or not.
  void run();

  /// Makes it ready for its next use before its last row was read.
  void reset() noexcept;

  int64_t integer(int32_t column) const;
  double real(int32_t column) const;
  std::string text(int32_t column) const;
  bool is_null(int32_t column) const;

private:
  database& owner_;
  sqlite3_stmt* handle_ = nullptr;
};

/// Gives a borrowed statement back, ready for its next use.
struct reset_later {
  void operator()(statement* borrowed) const noexcept { borrowed->reset(); }
};

using borrowed_statement = std::unique_ptr<statement, reset_later>;

/// One connection. Every failure is an error: `storage_full` when the disk is, else
/// `catalog_failed`.
class database {
public:
  /// Opens or makes the file, for this process alone.
  explicit database(const std::filesystem::path& path);
  database(const database&) = delete;
  database& operator=(const database&) = delete;
  ~database();

  /// Runs statements without parameters.
  void execute(const std::string& sql);

  /// A statement that is compiled once and kept. One borrower of the same text at a time.
  borrowed_statement borrow(const std::string& sql);

  /// The one value of a statement without parameters; 0 without a row.
  int64_t value_of(std::string_view sql);
  std::string text_of(std::string_view sql);

  /// Rows changed by the last statement.
  int64_t changes() const;

  sqlite3* handle() noexcept { return handle_; }

  /// Throws by SQLite's result code.
  [[noreturn]] void fail(int code) const;

private:
  std::filesystem::path path_;
  sqlite3* handle_ = nullptr;
  std::unordered_map<std::string, std::unique_ptr<statement>> kept_;
};

/// All or nothing: rolls back unless committed.
class transaction {
public:
  /// @param name Of its failpoint, such as `catalog.add_job`.
  transaction(database& owner, const char* name);
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;
  ~transaction();

  void commit();

private:
  database& owner_;
  const char* name_;
  bool open_ = true;
};

} // namespace musetalk::pipeline::sqlite
