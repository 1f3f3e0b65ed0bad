// What remains when the disk is full, fails, or the process is killed: at every single system call
// that changes the disk on the way of a version.

#include "pipeline/catalog.hpp"
#include "pipeline/upload_spool.hpp"
#include "tests/pipeline/expect_error.hpp"
#include "tests/pipeline/fault_shim.hpp"
#include "tests/pipeline/sample_frames.hpp"
#include "tests/pipeline/temporary_folder.hpp"

#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

using namespace musetalk;
using namespace musetalk::pipeline;
namespace fs = std::filesystem;

namespace {

/// How the avatar stands before the version that goes wrong is made.
enum class start { nothing, published, plain };

class StoreFault : public ::testing::TestWithParam<start> {
protected:
  fs::path root() const { return folder_.path() / "avatars"; }
  store_layout layout() const { return {root()}; }

  /// A fresh store; what a reader of the avatar finds is in `before_`.
  void prepare() {
    auto pattern = folder_.path() / "pattern";
    if (!fs::exists(pattern)) {
      auto store = open_avatar_store(pattern);
      test::publish_version(*store, "other", "job0", 2);
      if (GetParam() == start::published)
        test::publish_version(*store, "anna", "job1", 2);
      if (GetParam() == start::plain) {
        fs::copy(store->layout().version("other", "v000001"), pattern / "anna",
                 fs::copy_options::recursive);
        fs::remove(pattern / "anna" / "manifest.json");
      }
    }
    fs::remove_all(root());
    fs::copy(pattern, root(), fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    other_ = content("other");
    before_ = content("anna");
    versions_before_ = versions();
  }

  /// Numbered versions in the store, whether the avatar's link names them or not.
  std::set<std::string> versions() const {
    auto result = std::set<std::string>{};
    auto reason = std::error_code{};
    for (const auto& entry : fs::directory_iterator{layout().versions("anna"), reason})
      if (auto name = entry.path().filename().string(); name.front() == 'v')
        result.insert(name);
    return result;
  }

  /// Names and sizes as a consumer sees them through the avatar's name; empty without avatar.
  std::set<std::string> content(const std::string& avatar_id) const {
    auto result = std::set<std::string>{};
    auto reason = std::error_code{};
    auto home = fs::canonical(layout().link(avatar_id), reason);
    if (reason)
      return result;
    for (const auto& entry : fs::recursive_directory_iterator{home})
      if (entry.is_regular_file())
        result.insert(entry.path().lexically_relative(home).string() + " " +
                      std::to_string(entry.file_size()));
    return result;
  }

  static bool is_complete(const std::set<std::string>& files) {
    auto pictures = std::count_if(files.begin(), files.end(),
                                  [](const std::string& x) { return x.starts_with("full_imgs/"); });
    return pictures == 6 && std::any_of(files.begin(), files.end(), [](const std::string& x) {
             return x.starts_with("manifest.json ");
           });
  }

  static std::set<std::string> staging_of(const fs::path& root) {
    auto result = std::set<std::string>{};
    for (const auto& entry : fs::directory_iterator{root / ".staging"})
      result.insert(entry.path().filename().string());
    return result;
  }

  test::temporary_folder folder_{test::temporary_folder::in_memory()};
  std::set<std::string> other_;
  std::set<std::string> before_;
  std::set<std::string> versions_before_;
};

/// The way of a version: 3 frames.
void make_version(avatar_store& store) {
  test::publish_version(store, "anna", "job2", 3);
}

std::string name_of(const ::testing::TestParamInfo<start>& info) {
  switch (info.param) {
  case start::nothing:
    return "WithoutOne";
  case start::published:
    return "Published";
  default:
    return "Plain";
  }
}

} // namespace

TEST_P(StoreFault, TellsAFullOrFailingDiskAndLeavesTheAvatarAsItWas) {
  for (auto reason : {ENOSPC, EIO})
    for (auto at = 0;; ++at) {
      prepare();
      auto store = open_avatar_store(root());
      auto failed = std::string{};
      auto code = errc::internal;
      {
        auto shim = test::fault_shim{[&](const std::string& call, int number) {
          if (number != at)
            return 0;
          failed = call;
          return reason;
        }};
        try {
          make_version(*store);
        } catch (const error& problem) {
          code = problem.code();
          if (reason == ENOSPC) {
            EXPECT_NE(problem.detail().find(" bytes are free"), std::string::npos)
                << problem.detail();
          }
          EXPECT_EQ(problem.detail().find(root().string()), std::string::npos);
        }
      }
      if (failed.empty()) {
        EXPECT_GT(at, 30); // the whole way was without a fault
        break;
      }
      SCOPED_TRACE("call " + std::to_string(at) + " (" + failed + ") fails with " +
                   std::to_string(reason));
      EXPECT_EQ(to_string(code),
                to_string(reason == ENOSPC ? errc::storage_full : errc::storage_failed));
      EXPECT_EQ(content("other"), other_);
      EXPECT_EQ(content("anna"), before_);
      EXPECT_EQ(versions(), versions_before_);
      EXPECT_EQ(staging_of(root()), std::set<std::string>{});
      // nothing stands in the way of the next try
      make_version(*store);
      EXPECT_TRUE(is_complete(content("anna")));
    }
}

TEST_P(StoreFault, HoldsAWholeAvatarWhereverTheProcessIsKilled) {
  auto saw_old = false;
  auto saw_new = false;
  for (auto at = 0;; ++at) {
    prepare();
    auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto store = open_avatar_store(root());
      auto shim = test::fault_shim{[&](const std::string&, int number) {
        if (number == at)
          ::_exit(7); // no destructor runs: as after kill -9
        return 0;
      }};
      make_version(*store);
      ::_exit(0);
    }
    auto status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    SCOPED_TRACE("killed before call " + std::to_string(at));
    // at any time a consumer finds the old avatar or the new one
    auto seen = content("anna");
    EXPECT_TRUE(seen == before_ || is_complete(seen));
    auto scan = open_avatar_store(root())->recover({});
    auto after = content("anna");
    EXPECT_TRUE(after == before_ || is_complete(after));
    EXPECT_EQ(content("other"), other_);
    EXPECT_EQ(staging_of(root()), std::set<std::string>{});
    // what is listed is what is there, and a job counts as published when its version is current
    auto found = std::find_if(scan.avatars.begin(), scan.avatars.end(),
                              [](const auto& x) { return x.avatar_id == "anna"; });
    EXPECT_EQ(found != scan.avatars.end(), !after.empty());
    if (found != scan.avatars.end()) {
      auto made = std::any_of(found->versions.begin(), found->versions.end(),
                              [](const auto& x) { return x.job_id == "job2"; });
      EXPECT_EQ(made, is_complete(after));
      EXPECT_EQ(made, found->versions.back().job_id == "job2" &&
                          found->current_version == found->versions.back().version);
    }
    // a second start finds nothing to do
    auto again = open_avatar_store(root())->recover({});
    EXPECT_TRUE(again.removed.empty());
    EXPECT_EQ(again.avatars.size(), scan.avatars.size());
    saw_old = saw_old || after == before_;
    saw_new = saw_new || is_complete(after);
    if (WEXITSTATUS(status) == 0)
      break;
    ASSERT_EQ(WEXITSTATUS(status), 7);
  }
  EXPECT_TRUE(saw_old);
  EXPECT_TRUE(saw_new);
}

TEST_P(StoreFault, RemovesAnAvatarWhollyOrNotAtAllWhenKilled) {
  for (auto at = 0;; ++at) {
    prepare();
    auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto store = open_avatar_store(root());
      auto shim = test::fault_shim{[&](const std::string&, int number) {
        if (number == at)
          ::_exit(7);
        return 0;
      }};
      store->remove_avatar("anna");
      ::_exit(0);
    }
    auto status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    SCOPED_TRACE("killed before call " + std::to_string(at));
    auto scan = open_avatar_store(root())->recover({});
    auto after = content("anna");
    EXPECT_TRUE(after == before_ || after.empty());
    EXPECT_EQ(scan.avatars.size(), after.empty() ? 1u : 2u);
    EXPECT_EQ(content("other"), other_);
    EXPECT_EQ(staging_of(root()), std::set<std::string>{});
    if (WEXITSTATUS(status) == 0) {
      EXPECT_TRUE(after.empty());
      break;
    }
  }
}

TEST_P(StoreFault, CopiesWhereTheDiskHasNoHardLinks) {
  prepare();
  auto store = open_avatar_store(root());
  {
    auto shim = test::fault_shim{[](const std::string& call, int) {
      return call == "link" ? EPERM : 0;
    }};
    make_version(*store);
  }
  EXPECT_TRUE(is_complete(content("anna")));
  EXPECT_EQ(fs::hard_link_count(layout().link("anna") / "full_imgs" / "00000000.png"), 1u);
  EXPECT_EQ(fs::file_size(layout().link("anna") / "mask" / "00000005.png"),
            fs::file_size(layout().link("anna") / "mask" / "00000000.png"));
}

TEST_P(StoreFault, AdoptsWhereTheDiskCannotSwap) {
  prepare();
  auto store = open_avatar_store(root());
  {
    auto shim = test::fault_shim{[](const std::string& call, int) {
      return call == "renameat2" ? EINVAL : 0;
    }};
    make_version(*store);
  }
  EXPECT_TRUE(is_complete(content("anna")));
  EXPECT_EQ(fs::exists(layout().version("anna", "adopted")), GetParam() == start::plain);
}

INSTANTIATE_TEST_SUITE_P(Avatar, StoreFault,
                         ::testing::Values(start::nothing, start::published, start::plain),
                         name_of);

TEST(UploadFault, TellsAFullDiskAtEveryCallAndLeavesNothing) {
  auto folder = test::temporary_folder{};
  auto upload = folder.path() / "up1";
  auto bytes = std::vector<std::byte>(600'000);
  for (auto at = 0;; ++at) {
    auto failed = false;
    auto shim = test::fault_shim{[&](const std::string&, int number) {
      failed = failed || number == at;
      return number == at ? ENOSPC : 0;
    }};
    try {
      auto spool = upload_spool{upload, "up1", 1'000'000};
      spool.write(bytes);
      spool.finish();
      EXPECT_FALSE(failed);
    } catch (const error& problem) {
      EXPECT_EQ(problem.code(), errc::storage_full);
      EXPECT_NE(problem.detail().find(" bytes are free"), std::string::npos) << problem.detail();
    }
    EXPECT_FALSE(fs::exists(upload));
    if (!failed) {
      EXPECT_GE(at, 6);
      break;
    }
  }
}

// -- a disk that really is full ------------------------------------------------

namespace {

/// A small file system in memory; gone with the object.
class small_disk {
public:
  explicit small_disk(int kilobytes) {
    auto options = "size=" + std::to_string(kilobytes) + "k";
    mounted_ = ::mount("tmpfs", folder_.path().c_str(), "tmpfs", MS_NOSUID | MS_NODEV,
                       options.c_str()) == 0;
  }

  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  ~small_disk() {
    if (mounted_)
      ::umount2(folder_.path().c_str(), MNT_DETACH);
  }

  /// False where this process may not mount.
  explicit operator bool() const { return mounted_; }

  const fs::path& path() const { return folder_.path(); }

private:
  test::temporary_folder folder_;
  bool mounted_ = false;
};

} // namespace

TEST(FullDisk, IsToldAtAnySizeAndEmptiedAgain) {
  auto whole = 0;
  auto full = 0;
  for (auto kilobytes = 40; kilobytes <= 640; kilobytes += 40) {
    auto disk = small_disk{kilobytes};
    if (!disk)
      GTEST_SKIP() << "no file system can be mounted here";
    try {
      auto store = open_avatar_store(disk.path());
      make_version(*store);
      ++whole;
    } catch (const error& problem) {
      EXPECT_EQ(problem.code(), errc::storage_full) << problem.what();
      ++full;
      auto reason = std::error_code{};
      EXPECT_TRUE(fs::is_empty(disk.path() / ".staging", reason));
      EXPECT_FALSE(fs::is_symlink(disk.path() / "anna"));
    }
  }
  EXPECT_GT(full, 3);
  EXPECT_GT(whole, 0);
}

TEST(FullDisk, CanStillBeFreedByRemovingAnAvatar) {
  auto disk = small_disk{2000};
  if (!disk)
    GTEST_SKIP() << "no file system can be mounted here";
  auto store = open_avatar_store(disk.path());
  make_version(*store);
  auto filler = create_file(disk.path() / "filler");
  test::detail_of(errc::storage_full, [&] {
    for (auto piece = std::vector<std::byte>(4096);;)
      filler.write(piece);
  });
  store->remove_avatar("anna");
  EXPECT_TRUE(fs::is_empty(disk.path() / ".store"));
  EXPECT_TRUE(fs::is_empty(disk.path() / ".staging"));
  EXPECT_FALSE(store->sweep(1000));
  EXPECT_TRUE(fs::is_empty(disk.path() / ".trash"));
}

TEST(FullDisk, StopsTheCatalogUntilThereIsRoom) {
  auto disk = small_disk{1000};
  if (!disk)
    GTEST_SKIP() << "no file system can be mounted here";
  auto catalog = open_sqlite_catalog(disk.path() / "musetalkd.db");
  write_file(disk.path() / "filler", bytes_of(std::string(300'000, 'x')));
  auto next = job{};
  next.request.avatar_id = "anna";
  auto added = 0;
  auto add = [&] {
    next.job_id = "j" + std::to_string(added);
    catalog->add_job(next, "client");
    ++added;
  };
  auto detail = test::detail_of(errc::storage_full, [&] {
    while (added < 10'000)
      add();
  });
  EXPECT_NE(detail.find(" bytes are free"), std::string::npos) << detail;
  // the job that did not fit is not half there, the others are whole, and room is taken up again
  EXPECT_FALSE(catalog->find_job(next.job_id));
  EXPECT_EQ(catalog->queued_jobs().size(), static_cast<size_t>(added));
  fs::remove(disk.path() / "filler");
  add();
  EXPECT_TRUE(catalog->find_job(next.job_id));
  catalog.reset();
  EXPECT_EQ(open_sqlite_catalog(disk.path() / "musetalkd.db")->queued_jobs().size(),
            static_cast<size_t>(added));
}
