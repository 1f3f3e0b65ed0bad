#include "pipeline/catalog_schema.hpp"
#include "pipeline/file_ops.hpp"
#include "pipeline/sqlite.hpp"
#include "tests/pipeline/catalog_conformance.hpp"

using namespace musetalk;
using namespace musetalk::pipeline;
namespace fs = std::filesystem;

namespace musetalk::test {

INSTANTIATE_TEST_SUITE_P(Sqlite, CatalogConformance,
                         ::testing::Values(catalog_kind{"sqlite",
                                                        [](const fs::path& folder) {
                                                          return open_sqlite_catalog(folder /
                                                                                     "c.db");
                                                        }}),
                         ::testing::PrintToStringParamName());

} // namespace musetalk::test

namespace {

class SqliteCatalog : public ::testing::Test {
protected:
  fs::path file() const { return folder_.path() / "musetalkd.db"; }

  std::string refusal() {
    return test::detail_of(errc::catalog_failed, [this] { open_sqlite_catalog(file()); });
  }

  test::temporary_folder folder_;
};

job some_job(const std::string& job_id) {
  auto x = job{};
  x.job_id = job_id;
  x.request.avatar_id = "anna";
  return x;
}

} // namespace

TEST_F(SqliteCatalog, RefusesAFileThatIsNoDatabase) {
  auto text = std::string(8192, 'x');
  write_file(file(), bytes_of(text));
  EXPECT_EQ(refusal(), "The catalog's file is no database.");
  EXPECT_EQ(read_file(file(), 10000), text); // left as it was
}

TEST_F(SqliteCatalog, RefusesTheDatabaseOfAnotherProgram) {
  sqlite::database{file()}.execute("CREATE TABLE bookmarks(url TEXT)");
  auto before = read_file(file(), 1 << 20);
  EXPECT_EQ(refusal(), "The catalog's file is a database of another program.");
  EXPECT_EQ(read_file(file(), 1 << 20), before);
}

TEST_F(SqliteCatalog, RefusesASchemaOfANewerProgram) {
  open_sqlite_catalog(file());
  sqlite::database{file()}.execute("INSERT INTO schema_versions VALUES(9, 0)");
  auto detail = refusal();
  EXPECT_NE(detail.find("schema 9"), std::string::npos) << detail;
  EXPECT_NE(detail.find("up to " + std::to_string(catalog_schema_version())), std::string::npos)
      << detail;
}

TEST_F(SqliteCatalog, RefusesADamagedFile) {
  {
    auto catalog = open_sqlite_catalog(file());
    for (auto i = 0; i < 200; ++i)
      catalog->add_job(some_job("j" + std::to_string(i)), "client");
  }
  // what lies behind the first page is overwritten
  auto text = read_file(file(), 10 << 20);
  ASSERT_GT(text.size(), 4096u * 4);
  std::fill(text.begin() + 4096, text.end(), '\x5a');
  fs::remove(file());
  write_file(file(), bytes_of(text));
  EXPECT_EQ(refusal(), "The catalog's file is damaged.");
}

TEST_F(SqliteCatalog, RefusesASecondConnection) {
  auto first = open_sqlite_catalog(file());
  EXPECT_EQ(refusal(), "The catalog is in use by another process.");
  EXPECT_NO_THROW(first->add_job(some_job("j1"), "client"));
}

TEST_F(SqliteCatalog, TellsThatItsFolderIsMissing) {
  auto detail = test::detail_of(errc::catalog_failed,
                                [] { open_sqlite_catalog("/no/such/folder/musetalkd.db"); });
  EXPECT_EQ(detail, "The catalog's file cannot be opened.");
}

TEST_F(SqliteCatalog, KeepsWhatWasWrittenWhenTheProcessIsKilled) {
  auto copy = folder_.path() / "copy";
  fs::create_directory(copy);
  {
    auto catalog = open_sqlite_catalog(file());
    catalog->add_job(some_job("j1"), "client");
    // the files as a kill leaves them: the log was never folded in
    for (const auto& entry : fs::directory_iterator{folder_.path()})
      if (entry.is_regular_file())
        fs::copy_file(entry, copy / entry.path().filename());
  }
  ASSERT_TRUE(fs::exists(copy / "musetalkd.db-wal"));
  EXPECT_TRUE(open_sqlite_catalog(copy / "musetalkd.db")->find_job("j1"));
}

TEST_F(SqliteCatalog, SyncsEveryCommit) {
  auto db = sqlite::database{file()};
  migrate_catalog(db);
  EXPECT_EQ(db.text_of("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(db.value_of("PRAGMA synchronous"), 2);
  EXPECT_EQ(db.value_of("PRAGMA foreign_keys"), 1);
  EXPECT_EQ(db.text_of("PRAGMA locking_mode"), "exclusive");
}

TEST_F(SqliteCatalog, TellsThatTheDiskIsFull) {
  auto db = sqlite::database{file()};
  migrate_catalog(db);
  db.execute("CREATE TABLE filler(x BLOB)");
  db.execute("PRAGMA max_page_count = " + std::to_string(db.value_of("PRAGMA page_count") + 1));
  auto detail = test::detail_of(errc::storage_full, [&] {
    auto change = sqlite::transaction{db};
    for (auto i = 0; i < 100; ++i)
      db.execute("INSERT INTO filler VALUES(zeroblob(100000))");
    change.commit();
  });
  EXPECT_NE(detail.find("bytes are free"), std::string::npos) << detail;
  // the connection is of use afterwards, and nothing of the transaction remains
  EXPECT_EQ(db.value_of("SELECT count(*) FROM filler"), 0);
}
