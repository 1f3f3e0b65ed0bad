#include "pipeline/store_recovery.hpp"

#include "pipeline/ids.hpp"
#include "tests/pipeline/expect_error.hpp"
#include "tests/pipeline/sample_frames.hpp"
#include "tests/pipeline/temporary_folder.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <map>

using namespace musetalk;
using namespace musetalk::pipeline;
namespace fs = std::filesystem;

namespace {

using strings = std::vector<std::string>;

class StoreRecovery : public ::testing::Test {
protected:
  StoreRecovery() : store_(open_avatar_store(folder_.path() / "avatars")) {}

  const store_layout& layout() const { return store_->layout(); }

  store_scan recover(const strings& kept_uploads = {}) { return store_->recover(kept_uploads); }

  static const avatar* find(const store_scan& scan, const std::string& avatar_id) {
    auto found = std::find_if(scan.avatars.begin(), scan.avatars.end(),
                              [&](const auto& x) { return x.avatar_id == avatar_id; });
    return found == scan.avatars.end() ? nullptr : &*found;
  }

  static strings names(const avatar& x) {
    auto result = strings{};
    for (const auto& version : x.versions)
      result.push_back(version.version);
    return result;
  }

  /// A folder as the old manager left it: no manifest, no link.
  fs::path make_plain(const std::string& name) {
    if (!fs::exists(layout().link("template"))) {
      test::publish_version(*store_, "template", "job0", 3);
    }
    fs::copy(fs::canonical(layout().link("template")), layout().root / name,
             fs::copy_options::recursive);
    fs::remove(layout().root / name / "manifest.json");
    return layout().root / name;
  }

  /// Every path below a folder with type, size and time: equal before and after means untouched.
  static std::map<std::string, std::string> fingerprint(const fs::path& folder) {
    auto result = std::map<std::string, std::string>{};
    for (const auto& entry : fs::recursive_directory_iterator{folder}) {
      struct stat status {};
      ::lstat(entry.path().c_str(), &status);
      result[entry.path()] = std::to_string(status.st_mode) + " " + std::to_string(status.st_size) +
                             " " + std::to_string(status.st_ino) + " " +
                             std::to_string(status.st_mtim.tv_sec) + "." +
                             std::to_string(status.st_mtim.tv_nsec);
    }
    return result;
  }

  test::temporary_folder folder_;
  std::unique_ptr<avatar_store> store_;
};

} // namespace

TEST_F(StoreRecovery, FindsNothingInAnEmptyStore) {
  auto scan = recover();
  EXPECT_TRUE(scan.avatars.empty());
  EXPECT_TRUE(scan.removed.empty());
  EXPECT_TRUE(scan.ignored.empty());
}

TEST_F(StoreRecovery, ListsWhatWasPublished) {
  test::publish_version(*store_, "anna", "job1", 5);
  auto published = test::publish_version(*store_, "anna", "job2", 4);
  auto before = fingerprint(layout().root);
  auto scan = recover();
  EXPECT_EQ(fingerprint(layout().root), before);
  ASSERT_EQ(scan.avatars.size(), 1u);
  const auto& x = scan.avatars[0];
  EXPECT_EQ(x.avatar_id, "anna");
  EXPECT_EQ(x.tutor_id, "tutor 1");
  EXPECT_EQ(x.status, "ready");
  EXPECT_EQ(x.current_version, "v000002");
  EXPECT_EQ(names(x), (strings{"v000001", "v000002"}));
  const auto& found = x.versions[1];
  EXPECT_EQ(found.job_id, "job2");
  EXPECT_EQ(found.created_us / 1000, published.created_us / 1000);
  EXPECT_EQ(found.engine, "native");
  EXPECT_EQ(found.weights, "synthetic");
  EXPECT_EQ(found.frames, 4);
  EXPECT_EQ(found.width, 96);
  EXPECT_EQ(found.height, 64);
  EXPECT_EQ(found.duration_s, published.duration_s);
  EXPECT_EQ(found.bytes, published.bytes);
  EXPECT_EQ(found.video_sha256, published.video_sha256);
}

TEST_F(StoreRecovery, RemovesStagingAndUploadsThatNobodyNeeds) {
  fs::create_directories(layout().staging("job9") / "full_imgs");
  write_file(layout().staging("job9") / "full_imgs" / "00000000.png", bytes_of("x"));
  for (auto id : {"kept", "orphan"}) {
    fs::create_directory(layout().upload(id));
    write_file(layout().upload(id) / "source", bytes_of("x"));
  }
  auto scan = recover({"kept"});
  EXPECT_EQ(scan.removed, (strings{".staging/job9", ".uploads/orphan"}));
  EXPECT_TRUE(fs::is_empty(layout().root / ".staging"));
  EXPECT_TRUE(fs::exists(layout().upload("kept") / "source"));
  EXPECT_FALSE(fs::exists(layout().upload("orphan")));
}

TEST_F(StoreRecovery, PublishesWhatWasWrittenAndSynced) {
  // As a crash leaves it between the manifest and the move into the store.
  test::publish_version(*store_, "anna", "job1");
  fs::remove(layout().link("anna"));
  fs::rename(layout().version("anna", "v000001"), layout().staging("job1"));
  auto kept = fs::path{layout().staging("copy")};
  fs::copy(layout().staging("job1"), kept, fs::copy_options::recursive);
  auto running = strings{"job1"};
  auto scan = store_->recover({}, running);
  EXPECT_EQ(scan.published, (strings{"anna/v000001"}));
  // the other one is nobody's
  EXPECT_EQ(scan.removed, (strings{".staging/copy"}));
  ASSERT_NE(find(scan, "anna"), nullptr);
  EXPECT_EQ(find(scan, "anna")->versions[0].job_id, "job1");
  EXPECT_TRUE(fs::exists(layout().link("anna") / "latents.pt"));
}

TEST_F(StoreRecovery, DoesNotPublishWhatIsHalfOrNotWanted) {
  for (auto half : {true, false}) {
    test::publish_version(*store_, "anna", "job1");
    fs::remove(layout().link("anna"));
    fs::rename(layout().version("anna", "v000001"), layout().staging("job1"));
    if (half)
      fs::remove(layout().staging("job1") / "mask" / "00000000.png");
    auto running = half ? strings{"job1"} : strings{};
    auto scan = store_->recover({}, running);
    EXPECT_TRUE(scan.published.empty());
    EXPECT_EQ(scan.removed, (strings{".staging/job1"}));
    EXPECT_TRUE(scan.avatars.empty());
  }
}

TEST_F(StoreRecovery, RemovesAVersionWithoutManifest) {
  test::publish_version(*store_, "anna", "job1");
  fs::create_directories(layout().version("anna", "v000002") / "full_imgs");
  auto scan = recover();
  EXPECT_EQ(scan.removed, (strings{".store/anna/v000002"}));
  EXPECT_FALSE(fs::exists(layout().version("anna", "v000002")));
  EXPECT_EQ(find(scan, "anna")->current_version, "v000001");
}

TEST_F(StoreRecovery, SetsADamagedVersionAside) {
  test::publish_version(*store_, "anna", "job1");
  test::publish_version(*store_, "anna", "job2");
  fs::resize_file(layout().version("anna", "v000002") / "latents.pt", 100);
  auto scan = recover();
  EXPECT_EQ(scan.removed, (strings{".store/anna/v000002"}));
  ASSERT_EQ(scan.ignored.size(), 1u);
  EXPECT_NE(scan.ignored[0].find("latents.pt has 100 bytes"), std::string::npos) << scan.ignored[0];
  EXPECT_EQ(find(scan, "anna")->current_version, "v000001");
  EXPECT_EQ(fs::read_symlink(layout().link("anna")), ".store/anna/v000001");
  // what is left of it can still be looked at
  auto aside = fs::directory_iterator{layout().root / ".store" / ".damaged"};
  EXPECT_TRUE(fs::exists(aside->path() / "coords.pkl"));
  EXPECT_EQ(recover().avatars.size(), 1u);
}

TEST_F(StoreRecovery, DeletesADamagedVersionWhenItsTimeIsUp) {
  auto old = "anna-v000001-00000000010000000000000000";
  auto fresh = "anna-v000002-" + new_job_id();
  for (const auto& name : {std::string{old}, fresh, std::string{"put here by hand"}})
    fs::create_directories(layout().damaged() / name / "full_imgs");
  auto scan = recover();
  EXPECT_EQ(scan.removed, (strings{".store/.damaged/" + std::string{old}}));
  EXPECT_FALSE(fs::exists(layout().damaged() / old));
  EXPECT_TRUE(fs::exists(layout().damaged() / fresh));
  EXPECT_TRUE(fs::exists(layout().damaged() / "put here by hand"));
  auto at_once = store_policy{};
  at_once.keep_damaged = std::chrono::days{0};
  store_ = open_avatar_store(layout().root, at_once);
  EXPECT_EQ(recover().removed, (strings{".store/.damaged/" + fresh}));
}

TEST_F(StoreRecovery, LeavesItsTrashToTheSweep) {
  fs::create_directories(layout().staging("job9") / "full_imgs");
  write_file(layout().staging("job9") / "full_imgs" / "00000000.png", bytes_of("x"));
  recover();
  EXPECT_FALSE(fs::is_empty(layout().trash()));
  // Nor is it lost when the next start comes before the sweep.
  store_ = open_avatar_store(layout().root);
  recover();
  EXPECT_FALSE(store_->sweep(100));
  EXPECT_TRUE(fs::is_empty(layout().trash()));
}

TEST_F(StoreRecovery, RefusesAManifestThatIsNone) {
  for (auto text : {"", "{}", "[]", "{\"format\": 99}", "not json"}) {
    auto made = test::publish_version(*store_, "anna", "job1").version;
    auto manifest = layout().version("anna", made) / "manifest.json";
    fs::remove(manifest);
    write_file(manifest, bytes_of(text));
    auto scan = recover();
    EXPECT_TRUE(scan.avatars.empty()) << text;
    EXPECT_FALSE(fs::is_symlink(layout().link("anna"))) << text;
  }
}

TEST_F(StoreRecovery, RefusesAManifestThatPointsOutside) {
  test::publish_version(*store_, "anna", "job1");
  auto path = layout().version("anna", "v000001") / "manifest.json";
  auto text = read_file(path, 1 << 20);
  text.replace(text.find("preview.jpg"), 11, "../x/../y.z");
  fs::remove(path);
  write_file(path, bytes_of(text));
  auto scan = recover();
  EXPECT_TRUE(scan.avatars.empty());
  ASSERT_EQ(scan.ignored.size(), 1u);
  EXPECT_NE(scan.ignored[0].find("outside"), std::string::npos) << scan.ignored[0];
}

TEST_F(StoreRecovery, LinksAnAvatarThatLostItsLink) {
  test::publish_version(*store_, "anna", "job1");
  test::publish_version(*store_, "anna", "job2");
  fs::remove(layout().link("anna"));
  EXPECT_EQ(find(recover(), "anna")->current_version, "v000002");
  EXPECT_TRUE(fs::exists(layout().link("anna") / "latents.pt"));
}

TEST_F(StoreRecovery, KeepsALinkToAnOlderVersion) {
  test::publish_version(*store_, "anna", "job1");
  test::publish_version(*store_, "anna", "job2");
  fs::remove(layout().link("anna"));
  fs::create_symlink(".store/anna/v000001", layout().link("anna"));
  EXPECT_EQ(find(recover(), "anna")->current_version, "v000001");
}

TEST_F(StoreRecovery, LeadsADanglingLinkToWhatIsThere) {
  test::publish_version(*store_, "anna", "job1");
  test::publish_version(*store_, "anna", "job2");
  fs::remove_all(layout().version("anna", "v000002"));
  EXPECT_EQ(find(recover(), "anna")->current_version, "v000001");
  fs::remove_all(layout().version("anna", "v000001"));
  auto scan = recover();
  EXPECT_TRUE(scan.avatars.empty());
  EXPECT_FALSE(fs::is_symlink(layout().link("anna")));
  EXPECT_FALSE(fs::exists(layout().versions("anna")));
}

TEST_F(StoreRecovery, AdoptsAPlainFolderWithoutTouchingIt) {
  auto plain = make_plain("old");
  write_file(plain / "extra.txt", bytes_of("mine"));
  auto before = fingerprint(plain);
  auto scan = recover();
  EXPECT_EQ(fingerprint(plain), before);
  auto x = find(scan, "old");
  ASSERT_NE(x, nullptr);
  EXPECT_EQ(x->status, "ready");
  EXPECT_EQ(x->current_version, "adopted");
  ASSERT_EQ(names(*x), (strings{"adopted"}));
  EXPECT_EQ(x->versions[0].engine, "adopted");
  EXPECT_EQ(x->versions[0].frames, 3);
  EXPECT_EQ(x->versions[0].width, 96);
  EXPECT_GT(x->versions[0].bytes, 3u * 16384);
  EXPECT_GT(x->created_us, 1'600'000'000'000'000);
  EXPECT_TRUE(scan.removed.empty());
}

TEST_F(StoreRecovery, AdoptsAFolderOfMetadataAlone) {
  fs::create_directory(layout().root / "mocked");
  write_file(layout().root / "mocked" / "avatar_info.txt", bytes_of("avatar_id: mocked\n"));
  auto scan = recover();
  ASSERT_NE(find(scan, "mocked"), nullptr);
  EXPECT_EQ(find(scan, "mocked")->versions[0].frames, 0);
}

TEST_F(StoreRecovery, TellsWhyAFolderIsNoAvatar) {
  auto missing_mask = make_plain("a");
  fs::remove(missing_mask / "mask" / "00000005.png");
  auto gap = make_plain("b");
  fs::rename(gap / "full_imgs" / "00000005.png", gap / "full_imgs" / "00000006.png");
  auto hostile = make_plain("c");
  fs::copy_file(fs::path{MUSETALK_SOURCE_DIR} / "tests/golden/containers/bad_coords_os_system.pkl",
                hostile / "coords.pkl", fs::copy_options::overwrite_existing);
  auto other_type = make_plain("d");
  fs::copy_file(fs::path{MUSETALK_SOURCE_DIR} / "tests/golden/containers/latents_wrong_type.pt",
                other_type / "latents.pt", fs::copy_options::overwrite_existing);
  auto linked = make_plain("e");
  fs::remove(linked / "full_imgs" / "00000000.png");
  fs::create_symlink("/etc/passwd", linked / "full_imgs" / "00000000.png");
  auto fifo = make_plain("f");
  fs::remove(fifo / "latents.pt");
  ASSERT_EQ(::mkfifo((fifo / "latents.pt").c_str(), 0600), 0);
  auto before = fingerprint(layout().root);
  auto scan = recover();
  EXPECT_EQ(fingerprint(layout().root), before);
  EXPECT_EQ(scan.avatars.size(), 1u); // the template
  auto reasons = strings{};
  for (const auto& x : scan.ignored)
    reasons.push_back(x.substr(0, 3));
  EXPECT_EQ(reasons, (strings{"a: ", "b: ", "c: ", "d: ", "e: ", "f: "}));
}

TEST_F(StoreRecovery, IgnoresWhatIsNotAnAvatars) {
  make_plain("a.b");
  make_plain(".hidden");
  make_plain("space name");
  fs::create_directory(layout().root / "empty");
  write_file(layout().root / "file", bytes_of("x"));
  fs::create_symlink("/etc", layout().root / "outside");
  fs::create_symlink("template", layout().root / "alias");
  fs::create_symlink(".store/template/../template/v000001", layout().root / "tricky");
  fs::create_symlink(".store/other/v000001", layout().root / "foreign");
  auto before = fingerprint(layout().root);
  auto scan = recover();
  EXPECT_EQ(fingerprint(layout().root), before);
  ASSERT_EQ(scan.avatars.size(), 1u);
  EXPECT_EQ(scan.avatars[0].avatar_id, "template");
}

TEST_F(StoreRecovery, PrefersAPlainFolderToWhatTheStoreHolds) {
  test::publish_version(*store_, "anna", "job1");
  fs::remove(layout().link("anna"));
  make_plain("anna");
  auto scan = recover();
  auto x = find(scan, "anna");
  ASSERT_NE(x, nullptr);
  EXPECT_EQ(x->current_version, "adopted");
  EXPECT_TRUE(fs::is_directory(fs::symlink_status(layout().link("anna"))));
}

TEST_F(StoreRecovery, DoesNotFollowALinkOutOfStagingOrUploads) {
  auto precious = folder_.path() / "precious";
  fs::create_directory(precious);
  write_file(precious / "file", bytes_of("x"));
  fs::create_symlink(precious, layout().root / ".staging" / "job1");
  fs::create_symlink(precious, layout().root / ".uploads" / "up1");
  fs::create_directory(layout().upload("up2"));
  fs::create_symlink(precious, layout().upload("up2") / "link");
  recover();
  EXPECT_TRUE(fs::exists(precious / "file"));
  EXPECT_TRUE(fs::is_empty(layout().root / ".uploads"));
}
