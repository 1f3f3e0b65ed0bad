#include "pipeline/avatar_store.hpp"
#include "pipeline/file_ops.hpp"
#include "pipeline/version_manifest.hpp"
#include "tests/pipeline/expect_error.hpp"
#include "tests/pipeline/sample_frames.hpp"
#include "tests/pipeline/temporary_folder.hpp"

#include <opencv2/imgcodecs.hpp>

using namespace musetalk;
using namespace musetalk::pipeline;
namespace fs = std::filesystem;

namespace {

class LinkVersion : public ::testing::Test {
protected:
  LinkVersion() : store_(open_avatar_store(folder_.path() / "avatars")) {
    test::publish_version(*store_, "anna", "job1", 5);
  }

  avatar_version link(const std::string& avatar_id, const std::string& version = "v000001") {
    return store_->link_version({"job2", avatar_id, "t7", "mine.mp4", {"anna", version}});
  }

  const store_layout& layout() const { return store_->layout(); }
  static std::string text_of(const fs::path& path) { return read_file(path, 1 << 24); }

  test::temporary_folder folder_;
  std::unique_ptr<avatar_store> store_;
};

} // namespace

TEST_F(LinkVersion, GivesTheFilesSecondNames) {
  auto made = link("bert");
  EXPECT_EQ(made.version, "v000001");
  EXPECT_EQ(made.job_id, "job2");
  EXPECT_EQ(made.frames, 5);
  EXPECT_EQ(fs::read_symlink(layout().link("bert")), ".store/bert/v000001");
  auto anna = layout().link("anna");
  auto bert = layout().link("bert");
  for (auto name : {"video.mp4", "latents.pt", "coords.pkl", "full_imgs/00000000.png"})
    EXPECT_TRUE(fs::equivalent(anna / name, bert / name)) << name;
  for (auto name : {"avatar_info.txt", "avator_info.json", "contact_sheet.jpg", "manifest.json"})
    EXPECT_FALSE(fs::equivalent(anna / name, bert / name)) << name;
  EXPECT_TRUE(fs::is_empty(layout().root / ".staging"));
}

TEST_F(LinkVersion, NamesTheOtherAvatarNowhere) {
  link("bert");
  auto bert = layout().link("bert");
  for (auto name : {"avatar_info.txt", "avator_info.json", "manifest.json"}) {
    EXPECT_EQ(text_of(bert / name).find("anna"), std::string::npos) << name;
    EXPECT_NE(text_of(bert / name).find("bert"), std::string::npos) << name;
  }
  auto before = cv::imread((layout().link("anna") / "contact_sheet.jpg").string());
  auto after = cv::imread((bert / "contact_sheet.jpg").string());
  ASSERT_EQ(before.size(), after.size());
  auto title = cv::Rect{0, 0, before.cols, 56};
  EXPECT_GT(cv::norm(before(title), after(title), cv::NORM_INF), 100.) << "another title";
  auto rest = cv::Rect{0, 64, before.cols, before.rows - 64};
  auto mean = cv::norm(before(rest), after(rest), cv::NORM_L1) / (3. * rest.area());
  EXPECT_LT(mean, 6.) << "the same frames";
}

TEST_F(LinkVersion, WritesAManifestThatARestartBelieves) {
  link("bert");
  auto manifest = read_manifest(fs::canonical(layout().link("bert")));
  EXPECT_EQ(manifest.tutor_id, "t7");
  EXPECT_EQ(manifest.video_name, "mine.mp4");
  EXPECT_EQ(manifest.version.video_sha256, std::string(64, 'a'));
  store_->remove_avatar("anna");
  store_ = open_avatar_store(folder_.path() / "avatars");
  auto scan = store_->recover({});
  ASSERT_EQ(scan.avatars.size(), 1u);
  EXPECT_EQ(scan.avatars[0].avatar_id, "bert");
  EXPECT_EQ(scan.avatars[0].versions.size(), 1u);
}

TEST_F(LinkVersion, MakesTheNextVersionOfAnAvatarThatHasSome) {
  test::publish_version(*store_, "anna", "job3", 3);
  auto made = link("anna");
  EXPECT_EQ(made.version, "v000003");
  EXPECT_EQ(made.frames, 5);
  EXPECT_EQ(fs::read_symlink(layout().link("anna")), ".store/anna/v000003");
}

TEST_F(LinkVersion, RefusesWhatIsNotThereOrNotWhole) {
  test::detail_of(errc::version_not_found, [&] { link("bert", "v000009"); });
  fs::remove(layout().version("anna", "v000001") / "latents.pt");
  test::detail_of(errc::avatar_damaged, [&] { link("bert"); });
  EXPECT_FALSE(fs::exists(layout().link("bert")));
  EXPECT_TRUE(fs::is_empty(layout().root / ".staging"));
}

TEST(VersionWriterStop, EndsBetweenTwoPieces) {
  auto folder = test::temporary_folder{};
  auto store = open_avatar_store(folder.path() / "avatars");
  auto stop = std::stop_source{};
  auto plan = test::make_plan("anna", "job1");
  plan.stop = stop.get_token();
  auto writer = store->begin(plan);
  stop.request_stop();
  auto frames = std::vector{test::make_frame(0)};
  auto latents = std::vector{test::make_latent(0)};
  test::detail_of(errc::cancelled, [&] { writer->write(frames, latents); });
}
