#include "pipeline/catalog_events.hpp"
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

// A catalog as the first release wrote it: its tables and one row of each.
TEST_F(SqliteCatalog, BringsAnOlderCatalogUpToDate) {
  open_sqlite_catalog(file());
  {
    auto db = sqlite::database{file()};
    db.execute("DROP TABLE request_keys");
    db.execute("DROP TABLE videos");
    db.execute("DROP INDEX versions_by_work");
    for (const auto* column : {"speech", "priority", "forced", "video_frames", "video_pixels",
                               "queued_us", "options_key"})
      db.execute("ALTER TABLE jobs DROP COLUMN " + std::string{column});
    for (const auto* column : {"used_us", "pinned"})
      db.execute("ALTER TABLE avatars DROP COLUMN " + std::string{column});
    for (const auto* column : {"options_key", "retired_us", "checked_us"})
      db.execute("ALTER TABLE versions DROP COLUMN " + std::string{column});
    db.execute("ALTER TABLE jobs DROP COLUMN interruptions");
    db.execute("ALTER TABLE events DROP COLUMN attempt");
    db.execute("DELETE FROM schema_versions WHERE version > 1");
    db.execute(
        "INSERT INTO jobs VALUES(NULL, 'j1', 1, 'anna', '', 0, '', '', '', '', 0, 'running', "
        "2, 5, 6, 0, '', 'real', 'native', NULL, NULL, '{}')");
    db.execute("INSERT INTO events VALUES(NULL, 'j1', 7, 'running', 'registry', 'attempt 2')");
    db.execute("INSERT INTO avatars VALUES('anna', '', 5, 6, 'ready', '', 'j1')");
  }
  auto catalog = open_sqlite_catalog(file());
  auto x = catalog->find_job("j1");
  ASSERT_TRUE(x);
  EXPECT_EQ(x->attempt, 2u);
  EXPECT_EQ(x->interruptions, 1u) << "each attempt before was ended by a restart";
  auto events = catalog->job_events("j1");
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].attempt, 1u);
  EXPECT_EQ(events[0].avatar_id, "anna");
  catalog->keep_key({"k1", "print", "j1", 9});
  EXPECT_EQ(catalog->find_key("k1", 0)->target, "j1");
  // Nobody has told of uses before: they count from now on.
  EXPECT_GT(catalog->find_avatar("anna")->used_us, 1'600'000'000'000'000);
  EXPECT_FALSE(catalog->find_avatar("anna")->pinned);
}

TEST_F(SqliteCatalog, KeepsSoManyKeys) {
  auto db = sqlite::database{file()};
  migrate_catalog(db);
  auto change = sqlite::transaction{db, "catalog.test"};
  for (auto i = int64_t{0}; i < max_request_keys + 3; ++i)
    insert_key(db, {"k" + std::to_string(i), "print", "j", 1});
  change.commit();
  EXPECT_EQ(db.value_of("SELECT count(*) FROM request_keys"), max_request_keys);
  EXPECT_FALSE(find_key_row(db, "k2", 0));
  EXPECT_TRUE(find_key_row(db, "k3", 0));
}

TEST_F(SqliteCatalog, TellsThatTheDiskIsFull) {
  auto db = sqlite::database{file()};
  migrate_catalog(db);
  db.execute("CREATE TABLE filler(x BLOB)");
  db.execute("PRAGMA max_page_count = " + std::to_string(db.value_of("PRAGMA page_count") + 1));
  auto detail = test::detail_of(errc::storage_full, [&] {
    auto change = sqlite::transaction{db, "catalog.test"};
    for (auto i = 0; i < 100; ++i)
      db.execute("INSERT INTO filler VALUES(zeroblob(100000))");
    change.commit();
  });
  EXPECT_NE(detail.find("bytes are free"), std::string::npos) << detail;
  // the connection is of use afterwards, and nothing of the transaction remains
  EXPECT_EQ(db.value_of("SELECT count(*) FROM filler"), 0);
}
