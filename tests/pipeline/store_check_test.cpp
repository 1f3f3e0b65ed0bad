#include "pipeline/store_check.hpp"

#include "pipeline/catalog.hpp"
#include "pipeline/catalog_audit.hpp"
#include "tests/pipeline/expect_error.hpp"
#include "tests/pipeline/sample_frames.hpp"
#include "tests/pipeline/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

using namespace musetalk;
using namespace musetalk::pipeline;
namespace fs = std::filesystem;

namespace {

using strings = std::vector<std::string>;

class StoreCheck : public ::testing::Test {
protected:
  StoreCheck() : store_(open_avatar_store(folder_.path() / "avatars")) {
    publish("anna", "job1");
    publish("anna", "job2");
  }

  /// On disk and in the catalog, as the service does it.
  void publish(const std::string& avatar_id, const std::string& job_id) {
    auto record = job{};
    record.job_id = job_id;
    record.request.avatar_id = avatar_id;
    record.state = job_state::queued;
    catalog().add_job(record, "client");
    record.state = job_state::running;
    catalog().move_job(record, "registry", "");
    auto version = test::publish_version(*store_, avatar_id, job_id, 2);
    record.finished_us = 1;
    catalog().complete_job(record, version, "runner");
  }

  pipeline::catalog& catalog() {
    if (!catalog_)
      catalog_ = open_sqlite_catalog(layout().catalog());
    return *catalog_;
  }

  const store_layout& layout() const { return store_->layout(); }

  /// `code object` of what is found.
  strings found(const store_check_options& options = {}) {
    auto result = strings{};
    for (const auto& x : check_store(layout(), catalog().claims(0), options).findings)
      result.push_back(x.code + " " + x.object);
    return result;
  }

  /// Without the catalog's own rules: a change of its rows from outside.
  void change_rows(const std::string& sql) {
    catalog_.reset();
    auto db = sqlite::database{layout().catalog()};
    db.execute(sql);
  }

  test::temporary_folder folder_;
  std::unique_ptr<avatar_store> store_;
  std::unique_ptr<pipeline::catalog> catalog_;
};

} // namespace

TEST_F(StoreCheck, FindsNothingWrongInASoundStore) {
  auto report = check_store(layout(), catalog().claims(0), {.deep = true});
  EXPECT_TRUE(report.findings.empty());
  EXPECT_EQ(report.avatars, 1u);
  EXPECT_EQ(report.versions, 2u);
  EXPECT_GT(report.files, 20u);
  EXPECT_GT(report.bytes, 100'000u);
}

TEST_F(StoreCheck, FindsWhatIsMissingOrOfAnotherLength) {
  fs::remove(layout().version("anna", "v000001") / "coords.pkl");
  std::ofstream{layout().version("anna", "v000002") / "latents.pt", std::ios::app} << "x";
  EXPECT_EQ(found(),
            (strings{"version.file_size anna/v000002", "version.file_missing anna/v000001"}));
}

TEST_F(StoreCheck, FindsAChangedByteOnlyWhenItReads) {
  auto file = std::fstream{layout().version("anna", "v000001") / "latents.pt",
                           std::ios::in | std::ios::out};
  file.seekp(500).put('!').flush();
  EXPECT_EQ(found(), strings{});
  EXPECT_EQ(found({.deep = true}), (strings{"version.file_changed anna/v000001"}));
}

TEST_F(StoreCheck, FindsFilesAndFoldersThatNobodyKnows) {
  fs::create_directories(layout().staging("job9"));
  fs::create_directories(layout().upload("up9"));
  fs::create_directories(layout().trash() / "x");
  fs::create_directories(layout().versions("nobody"));
  write_file(layout().root / ".store" / "file", bytes_of("x"));
  write_file(layout().version("anna", "v000001") / "more", bytes_of("x"));
  EXPECT_EQ(found(), (strings{"staging.orphan .staging/job9", "upload.orphan .uploads/up9",
                              "trash.left .trash/x", "store.stranger .store/file",
                              "store.empty .store/nobody", "version.stranger anna/v000001"}));
}

TEST_F(StoreCheck, LeavesAloneWhatAServiceAtWorkIsDoing) {
  fs::create_directories(layout().staging("job9"));
  fs::create_directories(layout().upload("up9"));
  fs::create_directories(layout().trash() / "x");
  fs::create_directories(layout().trash() / "held-01m828mz879eysh9ksc5hykqt5");
  auto options = store_check_options{};
  options.live = true;
  options.staging = {"job9"};
  options.trash_in_use = true;
  EXPECT_EQ(found(options), strings{});
}

TEST_F(StoreCheck, FindsLinksThatLeadElsewhere) {
  fs::remove(layout().link("anna"));
  EXPECT_EQ(found(), (strings{"link.missing anna"}));
  fs::create_symlink(".store/anna/v000001", layout().link("anna"));
  EXPECT_EQ(found(), (strings{"link.other_version anna"}));
  fs::remove(layout().link("anna"));
  fs::create_symlink("/tmp", layout().link("anna"));
  EXPECT_EQ(found(), (strings{"link.foreign anna"}));
  fs::remove(layout().link("anna"));
  fs::create_symlink(".store/anna/v000009", layout().link("anna"));
  EXPECT_EQ(found(), (strings{"link.dangling anna"}));
}

TEST_F(StoreCheck, FindsVersionsThatOnlyOneSideKnows) {
  test::publish_version(*store_, "bert", "job3", 2);
  fs::remove_all(layout().version("anna", "v000001"));
  EXPECT_EQ(found(), (strings{"version.gone anna/v000001", "link.other_version bert",
                              "version.unlisted bert/v000001"}));
}

TEST_F(StoreCheck, AllowsAVersionWhoseJobHasNotEnded) {
  test::publish_version(*store_, "bert", "job3", 2);
  auto claims = catalog().claims(0);
  claims.jobs.insert("job3");
  auto options = store_check_options{};
  options.live = true;
  EXPECT_TRUE(check_store(layout(), claims, options).findings.empty());
}

TEST_F(StoreCheck, FindsAFolderWithoutManifest) {
  fs::remove(layout().version("anna", "v000001") / "manifest.json");
  EXPECT_EQ(found(), (strings{"version.half anna/v000001"}));
}

TEST_F(StoreCheck, ConfirmsOnlyWhatIsSeenTwice) {
  auto first = store_report{};
  first.findings = {{"link.missing", "anna", "", "", true},
                    {"version.gone", "anna/v000001", "", "", true},
                    {"version.file_changed", "anna/v000002", "", "", false}};
  auto second = store_report{};
  second.findings = {{"link.missing", "anna", "", "", true}};
  auto both = confirmed(first, second);
  ASSERT_EQ(both.findings.size(), 2u);
  EXPECT_EQ(both.findings[0].code, "link.missing");
  EXPECT_EQ(both.findings[1].code, "version.file_changed");
}

// -- the catalog's own rows --------------------------------------------------------

TEST_F(StoreCheck, FindsRowsThatContradictEachOther) {
  catalog();
  const std::pair<const char*, const char*> wrongs[] = {
      {"UPDATE jobs SET state = 'running' WHERE job_id = 'job1'", "job.history_differs job1"},
      {"UPDATE jobs SET state = 'odd' WHERE job_id = 'job1'", "job.unknown_state job1"},
      {"UPDATE jobs SET finished_us = 0 WHERE job_id = 'job1'", "job.end_time job1"},
      {"UPDATE jobs SET version = '' WHERE job_id = 'job1'", "job.no_version job1"},
      {"INSERT INTO events VALUES(NULL, 'job1', 9, 'completed', 'x', 'y', 1)",
       "job.several_ends job1"},
      {"DELETE FROM events WHERE job_id = 'job1' AND state = 'running'", "job.history_move job1"},
      {"UPDATE avatars SET current_version = 'v000007'", "avatar.no_such_version anna"},
      {"UPDATE avatars SET status = 'preparing'", "avatar.status anna"},
      {"UPDATE versions SET bytes = 5 WHERE version = 'v000001'",
       "version.row_differs anna/v000001"},
  };
  for (const auto& [sql, wanted] : wrongs) {
    catalog_.reset();
    fs::copy_file(layout().catalog(), folder_.path() / "sound.db",
                  fs::copy_options::overwrite_existing);
    change_rows(sql);
    auto what = found();
    EXPECT_NE(std::find(what.begin(), what.end(), wanted), what.end())
        << sql << ": " << (what.empty() ? "nothing" : what[0]);
    catalog_.reset();
    fs::copy_file(folder_.path() / "sound.db", layout().catalog(),
                  fs::copy_options::overwrite_existing);
  }
  EXPECT_EQ(found(), strings{});
}

TEST_F(StoreCheck, ReadsACatalogThatNoServiceHasOpen) {
  catalog();
  catalog_.reset();
  EXPECT_EQ(read_claims(layout().catalog(), 0).avatars.size(), 1u);
  test::detail_of(errc::catalog_failed, [&] { read_claims(layout().root / "none.db", 0); });
  write_file(layout().root / "other.db", bytes_of("no database"));
  test::detail_of(errc::catalog_failed, [&] { read_claims(layout().root / "other.db", 0); });
}
