#include "pipeline/avatar_store.hpp"

#include "models/checkpoint/avatar_lists.hpp"
#include "pipeline/sha256.hpp"
#include "pipeline/time.hpp"
#include "pipeline/version_manifest.hpp"
#include "pipeline/video_writer.hpp"
#include "tests/pipeline/expect_error.hpp"
#include "tests/pipeline/sample_frames.hpp"
#include "tests/pipeline/temporary_folder.hpp"

#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include <set>

using namespace musetalk;
using namespace musetalk::pipeline;
namespace fs = std::filesystem;

namespace {

class AvatarStore : public ::testing::Test {
protected:
  AvatarStore() : store_(open_avatar_store(folder_.path() / "avatars")) {}

  const store_layout& layout() const { return store_->layout(); }

  /// What is in a folder, dot names left out.
  static std::set<std::string> names(const fs::path& folder) {
    auto result = std::set<std::string>{};
    for (const auto& entry : fs::directory_iterator{folder})
      if (auto name = entry.path().filename().string(); name.front() != '.')
        result.insert(name);
    return result;
  }

  static std::string text_of(const fs::path& path) { return read_file(path, 1 << 24); }

  /// Three gray pictures of 64 x 48.
  static void write_video(const fs::path& path) {
    auto video = video_writer{path, make_geometry(64, 48, 1, 1, 0), nullptr, {}};
    for (auto i = 0; i < 3; ++i)
      video.write(test::make_picture(64, 48, 3, 0));
    video.finish();
  }

  std::unique_ptr<version_writer> begin(const std::string& avatar_id = "anna") {
    return store_->begin(test::make_plan(avatar_id, "job1"));
  }

  test::temporary_folder folder_;
  std::unique_ptr<avatar_store> store_;
};

} // namespace

TEST_F(AvatarStore, PublishesAFolderThatMuseTalkOpens) {
  test::publish_version(*store_, "anna", "job1", 5);
  auto avatar = layout().link("anna");
  EXPECT_EQ(fs::read_symlink(avatar), ".store/anna/v000001");
  EXPECT_EQ(names(avatar),
            (std::set<std::string>{"avatar_info.txt", "avator_info.json", "contact_sheet.jpg",
                                   "coords.pkl", "full_imgs", "latents.pt", "manifest.json", "mask",
                                   "mask_coords.pkl", "preview.jpg", "video.mp4"}));
  EXPECT_EQ(names(avatar / "full_imgs").size(), 10u);
  EXPECT_EQ(names(avatar / "mask").size(), 10u);
  EXPECT_EQ(names(layout().root), (std::set<std::string>{"anna"}));
  EXPECT_TRUE(fs::is_empty(layout().root / ".staging"));
}

TEST_F(AvatarStore, KeepsThePixelsAndMirrorsThem) {
  test::publish_version(*store_, "anna", "job1", 5);
  auto avatar = layout().link("anna");
  for (auto i = 0; i < 10; ++i) {
    auto source = test::make_frame(i < 5 ? i : 9 - i);
    char name[16];
    std::snprintf(name, sizeof name, "%08d.png", i);
    auto frame = cv::imread((avatar / "full_imgs" / name).string(), cv::IMREAD_UNCHANGED);
    auto mask = cv::imread((avatar / "mask" / name).string(), cv::IMREAD_UNCHANGED);
    ASSERT_EQ(frame.type(), CV_8UC3);
    ASSERT_EQ(mask.type(), CV_8UC1);
    ASSERT_EQ(frame.total() * 3, source.source.picture.pixels->size());
    EXPECT_EQ(std::memcmp(frame.data, source.source.picture.pixels->data(), frame.total() * 3), 0);
    EXPECT_EQ(std::memcmp(mask.data, source.mask.pixels->data(), mask.total()), 0);
    EXPECT_EQ(fs::hard_link_count(avatar / "full_imgs" / name), 2u);
    EXPECT_EQ(fs::hard_link_count(avatar / "mask" / name), 2u);
  }
}

TEST_F(AvatarStore, KeepsTheBoxesAndMirrorsThem) {
  test::publish_version(*store_, "anna", "job1", 3);
  auto boxes = models::read_box_list(layout().link("anna") / "coords.pkl");
  auto masks = models::read_box_list(layout().link("anna") / "mask_coords.pkl");
  ASSERT_EQ(boxes.size(), 6u);
  ASSERT_EQ(masks.size(), 6u);
  for (auto i = size_t{0}; i < 6; ++i) {
    auto source = test::make_frame(static_cast<int64_t>(i < 3 ? i : 5 - i));
    EXPECT_EQ(boxes[i].edges[0], source.face_box.left);
    EXPECT_EQ(boxes[i].edges[3], source.face_box.bottom);
    EXPECT_EQ(masks[i].edges[0], source.mask_box.left);
    EXPECT_EQ(masks[i].edges[2], source.mask_box.right);
  }
}

TEST_F(AvatarStore, WritesTheLineThatMuseTalkCompares) {
  test::publish_version(*store_, "anna", "job1");
  auto video = (layout().root / "anna" / "video.mp4").string();
  EXPECT_EQ(text_of(layout().link("anna") / "avator_info.json"),
            "{\"avatar_id\": \"anna\", \"video_path\": \"" + video +
                "\", \"bbox_shift\": 0, \"version\": \"v15\"}");
}

TEST_F(AvatarStore, WritesInformationForPeople) {
  test::publish_version(*store_, "anna", "job1");
  auto text = text_of(layout().link("anna") / "avatar_info.txt");
  EXPECT_NE(text.find("avatar_id: anna\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nframes: 4\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nweights: synthetic\n"), std::string::npos) << text;
  // a client's file name cannot forge a line
  EXPECT_NE(text.find("\nvideo_name: my clip.mp4?frames: 7\n"), std::string::npos) << text;
}

TEST_F(AvatarStore, ListsEveryFileWithItsSum) {
  auto version = test::publish_version(*store_, "anna", "job1", 5);
  auto avatar = layout().link("anna");
  auto manifest = nlohmann::json::parse(text_of(avatar / "manifest.json"));
  EXPECT_EQ(manifest["avatar_id"], "anna");
  EXPECT_EQ(manifest["version"], "v000001");
  EXPECT_EQ(manifest["job_id"], "job1");
  EXPECT_EQ(manifest["weights"], "synthetic");
  EXPECT_EQ(manifest["layout"]["frames"], 5);
  EXPECT_EQ(manifest["layout"]["entries"], 10);
  EXPECT_EQ(manifest["source"]["sha256"], std::string(64, 'a'));
  auto on_disk = std::set<std::string>{};
  auto bytes = uint64_t{0};
  for (const auto& entry : fs::recursive_directory_iterator{fs::canonical(avatar)})
    if (entry.is_regular_file() && entry.path().filename() != "manifest.json") {
      auto name = entry.path().lexically_relative(fs::canonical(avatar)).string();
      on_disk.insert(name);
      EXPECT_EQ(manifest["files"][name]["bytes"], entry.file_size()) << name;
      EXPECT_EQ(manifest["files"][name]["sha256"], sha256_of_file(entry)) << name;
      bytes += entry.file_size() * 2 / entry.hard_link_count();
    }
  EXPECT_EQ(manifest["files"].size(), on_disk.size());
  EXPECT_EQ(version.bytes, bytes / 2);
}

TEST_F(AvatarStore, AnswersWhatItPublished) {
  auto version = test::publish_version(*store_, "anna", "job1", 5);
  EXPECT_EQ(version.version, "v000001");
  EXPECT_EQ(version.job_id, "job1");
  EXPECT_EQ(version.engine, "native");
  EXPECT_EQ(version.weights, "synthetic");
  EXPECT_EQ(version.frames, 5);
  EXPECT_EQ(version.width, 96);
  EXPECT_EQ(version.height, 64);
  EXPECT_EQ(version.duration_s, 0.2);
  EXPECT_EQ(version.video_sha256, std::string(64, 'a'));
  EXPECT_GT(version.created_us, 1'600'000'000'000'000);
}

TEST_F(AvatarStore, NumbersVersionsAndSwitchesTheLink) {
  EXPECT_EQ(test::publish_version(*store_, "anna", "job1").version, "v000001");
  EXPECT_EQ(test::publish_version(*store_, "anna", "job2").version, "v000002");
  EXPECT_EQ(fs::read_symlink(layout().link("anna")), ".store/anna/v000002");
  EXPECT_TRUE(fs::exists(layout().version("anna", "v000001") / "latents.pt"));
}

TEST_F(AvatarStore, KeepsTheFolderMovable) {
  test::publish_version(*store_, "anna", "job1");
  fs::rename(folder_.path() / "avatars", folder_.path() / "elsewhere");
  EXPECT_TRUE(fs::exists(folder_.path() / "elsewhere" / "anna" / "latents.pt"));
}

TEST_F(AvatarStore, PublishesAMockWithoutFrames) {
  auto plan = test::make_plan("anna", "job1");
  plan.engine = "mock";
  plan.weights = "none";
  auto writer = store_->begin(plan);
  write_video(writer->folder() / "video.mp4");
  writer->verify();
  auto version = writer->publish();
  EXPECT_EQ(version.frames, 0);
  EXPECT_EQ(version.width, 64);
  EXPECT_EQ(version.height, 48);
  EXPECT_EQ(version.duration_s, 0.2);
  EXPECT_EQ(names(layout().link("anna")),
            (std::set<std::string>{"avatar_info.txt", "avator_info.json", "manifest.json",
                                   "preview.jpg", "video.mp4"}));
  EXPECT_EQ(cv::imread((layout().link("anna") / "preview.jpg").string()).cols, 64);
}

TEST_F(AvatarStore, RefusesAMockWhoseVideoCannotBeRead) {
  auto plan = test::make_plan("anna", "job1");
  plan.engine = "mock";
  auto writer = store_->begin(plan);
  write_file(writer->folder() / "video.mp4", bytes_of("no video"));
  test::detail_of(errc::avatar_damaged, [&] { writer->verify(); });
}

TEST_F(AvatarStore, RemovesStagingOfAWriterThatWasGivenUp) {
  {
    auto writer = begin();
    test::write_frames(*writer, 4);
    EXPECT_TRUE(fs::exists(writer->folder() / "full_imgs" / "00000003.png"));
  }
  EXPECT_TRUE(fs::is_empty(layout().root / ".staging"));
  EXPECT_TRUE(names(layout().root).empty());
}

TEST_F(AvatarStore, RefusesFramesOutOfOrder) {
  auto writer = begin();
  test::write_frames(*writer, 4);
  auto frames = std::vector{test::make_frame(5)};
  auto latents = std::vector{test::make_latent(5)};
  test::detail_of(errc::internal, [&] { writer->write(frames, latents); });
  test::detail_of(errc::internal, [&] { writer->write(frames, {}); });
}

TEST_F(AvatarStore, RefusesAVersionThatNobodyVerified) {
  auto writer = begin();
  test::write_frames(*writer, 4);
  test::detail_of(errc::internal, [&] { writer->publish(); });
  EXPECT_TRUE(names(layout().root).empty());
}

TEST_F(AvatarStore, RefusesAVersionWithoutVideoOrFrames) {
  auto without_video = begin();
  auto frames = std::vector{test::make_frame(0)};
  auto latents = std::vector{test::make_latent(0)};
  without_video->write(frames, latents);
  test::detail_of(errc::avatar_damaged, [&] { without_video->verify(); });
  auto without_frames = store_->begin(test::make_plan("anna", "job2"));
  test::write_frames(*without_frames, 0);
  test::detail_of(errc::avatar_damaged, [&] { without_frames->verify(); });
}

TEST_F(AvatarStore, FindsWhatChangedBehindTheWritersBack) {
  struct damage {
    std::string file;
    std::string text; // empty: the file is removed
  };
  auto png = text_of([&] {
    auto writer = begin("sample");
    test::write_frames(*writer, 1);
    fs::copy_file(writer->folder() / "full_imgs" / "00000000.png", folder_.path() / "png");
    return folder_.path() / "png";
  }());
  for (const auto& [file, text] :
       {damage{"full_imgs/00000001.png", ""},
        damage{"full_imgs/00000001.png", png.substr(0, png.size() - 1)},
        damage{"full_imgs/00000001.png", "no picture"}, damage{"mask/00000002.png", png},
        damage{"full_imgs/00000099.png", png}, damage{"mask/x.png", png}}) {
    auto writer = begin();
    test::write_frames(*writer, 3);
    fs::remove(writer->folder() / file);
    if (!text.empty())
      write_file(writer->folder() / file, bytes_of(text));
    SCOPED_TRACE(file + ": " + std::to_string(text.size()) + " bytes");
    try {
      writer->verify();
      ADD_FAILURE() << "nothing was thrown";
    } catch (const error& problem) {
      EXPECT_TRUE(problem.code() == errc::avatar_damaged || problem.code() == errc::storage_failed)
          << problem.what();
    }
  }
}

TEST_F(AvatarStore, RefusesValuesThatAreNotFinite) {
  auto bits = *test::make_latent(1).half_bits;
  for (auto value : {0x7c00, 0xfc00, 0x7e01}) {
    bits[4000] = static_cast<uint16_t>(value);
    auto writer = begin();
    test::write_frames(*writer, 1);
    auto frames = std::vector{test::make_frame(1)};
    auto latents = std::vector{latent{std::make_shared<const std::vector<uint16_t>>(bits)}};
    writer->write(frames, latents);
    auto detail = test::detail_of(errc::avatar_damaged, [&] { writer->verify(); });
    EXPECT_NE(detail.find("entry 1 is not finite"), std::string::npos) << detail;
  }
}

TEST_F(AvatarStore, RefusesBoxesThatLeaveTheFrame) {
  auto frame = test::make_frame(0);
  frame.face_box.right = 97;
  auto writer = begin();
  write_file(writer->folder() / "video.mp4", bytes_of("the video"));
  auto frames = std::vector{frame};
  auto latents = std::vector{test::make_latent(0)};
  writer->write(frames, latents);
  auto detail = test::detail_of(errc::avatar_damaged, [&] { writer->verify(); });
  EXPECT_NE(detail.find("96 x 64"), std::string::npos) << detail;
}

TEST_F(AvatarStore, RefusesIdsThatAreNone) {
  test::detail_of(errc::avatar_id_invalid, [&] { begin("../x"); });
  test::detail_of(errc::avatar_id_invalid, [&] { store_->remove_avatar(".store"); });
  test::detail_of(errc::internal, [&] { store_->begin(test::make_plan("anna", "../x")); });
  test::detail_of(errc::internal, [&] { store_->discard_upload(".."); });
  test::detail_of(errc::internal, [&] { store_->discard_staging("a/b"); });
}

TEST_F(AvatarStore, LeavesAForeignFileOfTheAvatarsName) {
  write_file(layout().root / "anna", bytes_of("mine"));
  test::detail_of(errc::storage_failed, [&] { begin(); });
  fs::create_symlink("/etc", layout().root / "berta");
  test::detail_of(errc::storage_failed, [&] { begin("berta"); });
  store_->remove_avatar("berta");
  EXPECT_EQ(fs::read_symlink(layout().root / "berta"), "/etc");
}

TEST_F(AvatarStore, RemovesAnAvatarWithItsVersions) {
  test::publish_version(*store_, "anna", "job1");
  test::publish_version(*store_, "anna", "job2");
  test::publish_version(*store_, "berta", "job3");
  store_->remove_avatar("anna");
  store_->remove_avatar("anna"); // not there: no error
  EXPECT_EQ(names(layout().root), (std::set<std::string>{"berta"}));
  EXPECT_EQ(names(layout().root / ".store"), (std::set<std::string>{"berta"}));
  EXPECT_TRUE(fs::is_empty(layout().root / ".staging"));
  EXPECT_EQ(test::publish_version(*store_, "anna", "job4").version, "v000001");
}

TEST_F(AvatarStore, DeletesNoMoreAtOnceThanItIsTold) {
  test::publish_version(*store_, "anna", "job1", 5);
  fs::create_symlink("/etc", layout().version("anna", "v000001") / "link");
  store_->remove_avatar("anna");
  auto left = [&] {
    return static_cast<size_t>(
        std::distance(fs::recursive_directory_iterator{layout().trash()}, {}));
  };
  auto before = left();
  EXPECT_GT(before, 30u);
  EXPECT_FALSE(fs::exists(layout().versions("anna")));
  for (auto more = true; more; before = left()) {
    more = store_->sweep(7);
    EXPECT_EQ(left(), before - std::min<size_t>(before, 7));
  }
  EXPECT_TRUE(fs::is_empty(layout().trash()));
  EXPECT_TRUE(fs::exists("/etc/passwd"));
}

TEST_F(AvatarStore, DiscardsStagingAndUploads) {
  fs::create_directories(layout().staging("job7") / "full_imgs");
  fs::create_directories(layout().upload("up7"));
  write_file(layout().upload("up7") / "source", bytes_of("x"));
  store_->discard_staging("job7");
  store_->discard_staging("job7");
  store_->discard_upload("up7");
  EXPECT_FALSE(fs::exists(layout().staging("job7")));
  EXPECT_FALSE(fs::exists(layout().upload("up7")));
}

TEST_F(AvatarStore, TurnsAPlainFolderIntoAVersion) {
  test::publish_version(*store_, "source", "job1");
  fs::copy(fs::canonical(layout().link("source")), layout().link("anna"),
           fs::copy_options::recursive);
  write_file(layout().link("anna") / "notes.txt", bytes_of("mine"));
  EXPECT_EQ(test::publish_version(*store_, "anna", "job2").version, "v000001");
  EXPECT_EQ(fs::read_symlink(layout().link("anna")), ".store/anna/v000001");
  EXPECT_EQ(text_of(layout().version("anna", "adopted") / "notes.txt"), "mine");
  // and a second one beside it
  fs::remove(layout().link("anna"));
  fs::create_directory(layout().link("anna"));
  test::publish_version(*store_, "anna", "job3");
  EXPECT_EQ(names(layout().versions("anna")),
            (std::set<std::string>{"adopted", "adopted_2", "v000001", "v000002"}));
}

TEST_F(AvatarStore, SwitchesBackToAnOlderVersionWhileReadersKeepTheirs) {
  test::publish_version(*store_, "anna", "job1", 3);
  test::publish_version(*store_, "anna", "job2", 5);
  auto reader = open_for_reading(layout().link("anna") / "latents.pt");
  auto size = reader.size();
  store_->activate_version("anna", "v000001");
  EXPECT_EQ(fs::read_symlink(layout().link("anna")), ".store/anna/v000001");
  EXPECT_LT(fs::file_size(layout().link("anna") / "latents.pt"), size);
  auto last = std::byte{};
  EXPECT_TRUE(reader.read_at(size - 1, {&last, 1}));
  EXPECT_TRUE(fs::exists(layout().version("anna", "v000002") / "manifest.json"));
  // The next one gets a number of its own.
  test::publish_version(*store_, "anna", "job3", 3);
  EXPECT_EQ(fs::read_symlink(layout().link("anna")), ".store/anna/v000003");
}

TEST_F(AvatarStore, ActivatesOnlyAVersionThatIsThere) {
  test::publish_version(*store_, "anna", "job1");
  for (auto name : {"v000002", "", "../..", "manifest.json", "v000001/full_imgs"})
    test::detail_of(errc::version_not_found, [&] { store_->activate_version("anna", name); });
  EXPECT_EQ(fs::read_symlink(layout().link("anna")), ".store/anna/v000001");
}

TEST_F(AvatarStore, RemovesAVersionThatIsNotCurrent) {
  test::publish_version(*store_, "anna", "job1");
  test::publish_version(*store_, "anna", "job2");
  auto detail =
      test::detail_of(errc::version_current, [&] { store_->remove_version("anna", "v000002"); });
  EXPECT_EQ(detail, "v000002 is the current version.");
  store_->remove_version("anna", "v000001");
  EXPECT_FALSE(fs::exists(layout().version("anna", "v000001")));
  EXPECT_TRUE(fs::exists(layout().link("anna") / "manifest.json"));
  EXPECT_TRUE(fs::is_empty(layout().root / ".staging"));
  store_->remove_version("anna", "v000001");
  test::detail_of(errc::version_not_found, [&] { store_->remove_version("anna", ".."); });
}

TEST_F(AvatarStore, KeepsAPlainFolderWhenAnotherVersionIsMadeCurrent) {
  test::publish_version(*store_, "anna", "job1");
  // As the old manager would leave it, in place of our link.
  fs::remove(layout().link("anna"));
  fs::create_directory(layout().link("anna"));
  write_file(layout().link("anna") / "avatar_info.txt", bytes_of("old"));
  store_->activate_version("anna", "adopted");
  EXPECT_EQ(text_of(layout().link("anna") / "avatar_info.txt"), "old");
  store_->activate_version("anna", "v000001");
  EXPECT_EQ(fs::read_symlink(layout().link("anna")), ".store/anna/v000001");
  EXPECT_EQ(text_of(layout().version("anna", "adopted") / "avatar_info.txt"), "old");
}

TEST_F(AvatarStore, TellsThatItsFolderCannotBeMade) {
  write_file(folder_.path() / "file", {});
  test::detail_of(errc::storage_failed, [&] { open_avatar_store(folder_.path() / "file"); });
  test::detail_of(errc::storage_failed, [&] { open_avatar_store("/proc/avatars"); });
}

// -- videos that avatars made ---------------------------------------------------

namespace {

/// A video as a job that speaks leaves it in its staging.
void stage_video(avatar_store& store, const std::string& job_id, const std::string& bytes) {
  write_file(store.open_staging(job_id) / "video.mp4", bytes_of(bytes));
}

} // namespace

TEST_F(AvatarStore, PublishesAVideoBesideTheAvatar) {
  auto store = open_avatar_store(folder_.path());
  test::publish_version(*store, "anna", "job1");
  stage_video(*store, "job2", "0123456789");
  EXPECT_EQ(store->publish_video("job2", "anna"), (stored_video{"anna", "job2", 10}));
  EXPECT_EQ(read_file(store->layout().video("anna", "job2"), 100), "0123456789");
  EXPECT_FALSE(fs::exists(store->layout().staging("job2")));
  auto found = open_avatar_store(folder_.path())->recover({}).videos;
  EXPECT_EQ(found, (std::vector{stored_video{"anna", "job2", 10}}));
}

TEST_F(AvatarStore, OpensStagingAnewForAnotherAttempt) {
  auto store = open_avatar_store(folder_.path());
  stage_video(*store, "job2", "half");
  auto folder = store->open_staging("job2");
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST_F(AvatarStore, RefusesToPublishWhatIsNotThere) {
  auto store = open_avatar_store(folder_.path());
  store->open_staging("job2");
  test::detail_of(errc::storage_failed, [&] { store->publish_video("job2", "anna"); });
  EXPECT_TRUE(open_avatar_store(folder_.path())->recover({}).videos.empty());
}

TEST_F(AvatarStore, RemovesAVideo) {
  auto store = open_avatar_store(folder_.path());
  stage_video(*store, "job2", "0123456789");
  store->publish_video("job2", "anna");
  store->remove_video("anna", "job2");
  EXPECT_FALSE(fs::exists(store->layout().video("anna", "job2")));
  store->remove_video("anna", "job2");
  store->remove_video("berta", "job2");
}

TEST_F(AvatarStore, RemovesTheVideosOfARemovedAvatar) {
  auto store = open_avatar_store(folder_.path());
  test::publish_version(*store, "anna", "job1");
  stage_video(*store, "job2", "0123456789");
  store->publish_video("job2", "anna");
  store->remove_avatar("anna");
  EXPECT_FALSE(fs::exists(store->layout().videos("anna")));
}

TEST_F(AvatarStore, CleansUpVideosThatAreNone) {
  auto store = open_avatar_store(folder_.path());
  test::publish_version(*store, "anna", "job1");
  auto videos = store->layout().videos("anna");
  fs::create_directories(videos);
  write_file(videos / "job3.mp4.part", bytes_of("half"));
  fs::create_symlink("/etc/passwd", videos / "job4.mp4");
  fs::create_directories(store->layout().videos("nobody"));
  auto scan = store->recover({});
  EXPECT_TRUE(scan.videos.empty());
  EXPECT_TRUE(fs::is_empty(videos));
  EXPECT_FALSE(fs::exists(store->layout().videos("nobody")));
  EXPECT_TRUE(fs::exists("/etc/passwd"));
}

// -- how long things stay ----------------------------------------------------------------

TEST_F(AvatarStore, GivesNoNumberTwice) {
  test::publish_version(*store_, "anna", "job1");
  test::publish_version(*store_, "anna", "job2");
  test::publish_version(*store_, "anna", "job3");
  store_->activate_version("anna", "v000001");
  store_->remove_version("anna", "v000002");
  EXPECT_FALSE(fs::exists(layout().versions("anna") / ".newest")) << "a newer one is there";
  store_->remove_version("anna", "v000003");
  // A start forgets nothing either.
  store_ = open_avatar_store(folder_.path() / "avatars");
  EXPECT_EQ(store_->recover({}).avatars.at(0).versions.size(), 1u);
  EXPECT_EQ(test::publish_version(*store_, "anna", "job4").version, "v000004");
  store_->remove_avatar("anna");
  EXPECT_EQ(test::publish_version(*store_, "anna", "job5").version, "v000001") << "another avatar";
}

TEST_F(AvatarStore, LeavesTheFilesOfARemovedVersionForAWhile) {
  auto later = timestamp_us{0};
  auto policy = store_policy{};
  policy.grace = std::chrono::seconds{60};
  policy.short_bytes = 0;
  policy.now_us = [&] {
    return now_us() + later;
  };
  store_ = open_avatar_store(folder_.path() / "avatars", policy);
  test::publish_version(*store_, "anna", "job1");
  auto open = open_for_reading(layout().link("anna") / "coords.pkl");
  store_->remove_avatar("anna");
  EXPECT_FALSE(fs::exists(layout().versions("anna"))) << "gone for everybody who comes";
  EXPECT_FALSE(store_->sweep(1000));
  ASSERT_FALSE(fs::is_empty(layout().trash()));
  // Also after a start.
  store_ = open_avatar_store(folder_.path() / "avatars", policy);
  store_->recover({});
  store_->sweep(1000);
  EXPECT_FALSE(fs::is_empty(layout().trash()));
  later = 61'000'000;
  store_->sweep(1000);
  EXPECT_TRUE(fs::is_empty(layout().trash()));
}

TEST_F(AvatarStore, LeavesNothingWhenTheDiskIsShortOfRoom) {
  auto policy = store_policy{};
  policy.grace = std::chrono::seconds{60};
  policy.short_bytes = ~uint64_t{0};
  store_ = open_avatar_store(folder_.path() / "avatars", policy);
  test::publish_version(*store_, "anna", "job1");
  store_->remove_avatar("anna");
  store_->sweep(1000);
  EXPECT_TRUE(fs::is_empty(layout().trash()));
}

TEST_F(AvatarStore, SetsADamagedVersionAsideAndFallsBack) {
  test::publish_version(*store_, "anna", "job1");
  test::publish_version(*store_, "anna", "job2");
  test::publish_version(*store_, "anna", "job3");
  EXPECT_EQ(store_->set_aside_version("anna", "v000001"), "v000003");
  EXPECT_EQ(store_->set_aside_version("anna", "v000003"), "v000002");
  EXPECT_EQ(fs::read_symlink(layout().link("anna")), ".store/anna/v000002");
  EXPECT_EQ(store_->set_aside_version("anna", "v000002"), "");
  EXPECT_FALSE(fs::exists(fs::symlink_status(layout().link("anna"))));
  EXPECT_EQ(names(layout().damaged()).size(), 3u);
  test::detail_of(errc::version_not_found, [&] { store_->set_aside_version("anna", "v000002"); });
  EXPECT_TRUE(store_->recover({}).avatars.empty());
  EXPECT_EQ(test::publish_version(*store_, "anna", "job4").version, "v000004");
}

TEST_F(AvatarStore, ThrowsAwayWhatNobodyNeedsAnyMore) {
  auto later = timestamp_us{0};
  auto policy = store_policy{};
  policy.now_us = [&] {
    return now_us() + later;
  };
  store_ = open_avatar_store(folder_.path() / "avatars", policy);
  for (const auto* upload : {"up1", "up2"}) {
    make_folder(layout().upload(upload));
    write_file(layout().upload(upload) / "source", bytes_of("video"));
  }
  auto writer = begin();
  make_folder(layout().staging("left"));
  auto needed_staging = std::vector<std::string>{"job1"};
  auto needed_uploads = std::vector<std::string>{"up2"};
  EXPECT_TRUE(store_->expire(needed_staging, needed_uploads).empty()) << "they may still grow";
  later = 2 * std::chrono::microseconds{policy.stale}.count();
  EXPECT_EQ(store_->expire(needed_staging, needed_uploads),
            (std::vector<std::string>{".staging/left", ".uploads/up1"}));
  EXPECT_EQ(names(layout().root / ".staging"), (std::set<std::string>{"job1"}));
  EXPECT_EQ(names(layout().root / ".uploads"), (std::set<std::string>{"up2"}));
}
