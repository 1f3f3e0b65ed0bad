#include "pipeline/version_scrub.hpp"

#include "pipeline/avatar_store.hpp"
#include "tests/pipeline/expect_error.hpp"
#include "tests/pipeline/sample_frames.hpp"
#include "tests/pipeline/temporary_folder.hpp"

#include <fstream>

using namespace musetalk;
using namespace musetalk::pipeline;
namespace fs = std::filesystem;

namespace {

class VersionScrub : public ::testing::Test {
protected:
  VersionScrub() { test::publish_version(*store_, "anna", "job1"); }

  /// Compares all of it in steps of so many bytes. @returns how many steps it took.
  int scrub(uint64_t bytes = 1'000'000'000) {
    auto x = version_scrub{version_};
    auto steps = 1;
    while (!x.step(bytes))
      ++steps;
    return steps;
  }

  /// Changes one bit of a file and nothing else.
  void flip(const std::string& name) {
    auto text = read_file(version_ / name, 1 << 24);
    text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 1);
    auto out = std::fstream{version_ / name, std::ios::in | std::ios::out | std::ios::binary};
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
  }

  test::temporary_folder folder_;
  std::unique_ptr<avatar_store> store_ = open_avatar_store(folder_.path() / "avatars");
  fs::path version_ = store_->layout().version("anna", "v000001");
};

} // namespace

TEST_F(VersionScrub, FindsNothingInAWholeVersion) {
  EXPECT_EQ(scrub(), 1);
}

TEST_F(VersionScrub, ReadsAPieceAtATimeAndMirroredFramesOnce) {
  // 4 frames and masks, 2 pickles, latents, video, 2 pictures, 2 texts: every step reads a file.
  EXPECT_EQ(scrub(1), 17);
}

TEST_F(VersionScrub, NamesTheFirstFileThatDiffers) {
  for (const auto* name : {"mask/00000002.png", "latents.pt", "video.mp4", "coords.pkl"}) {
    SCOPED_TRACE(name);
    flip(name);
    EXPECT_EQ(test::detail_of(errc::avatar_damaged, [&] { scrub(); }),
              std::string{name} + " differs from its checksum.");
    flip(name);
  }
  EXPECT_EQ(scrub(), 1);
}

TEST_F(VersionScrub, FindsAFileThatIsMissingBeforeItReadsAny) {
  fs::remove(version_ / "mask_coords.pkl");
  EXPECT_EQ(test::detail_of(errc::avatar_damaged, [&] { version_scrub{version_}; }),
            "mask_coords.pkl is missing.");
}

TEST_F(VersionScrub, FindsADamagedManifest) {
  fs::resize_file(version_ / "manifest.json", 100);
  test::detail_of(errc::avatar_damaged, [&] { version_scrub{version_}; });
}

TEST_F(VersionScrub, TakesARemovedVersionForNoDamage) {
  auto x = version_scrub{version_};
  EXPECT_FALSE(x.step(1));
  store_->remove_avatar("anna");
  test::detail_of(errc::version_not_found, [&] { x.step(1'000'000'000); });
  test::detail_of(errc::version_not_found, [&] { version_scrub{version_}; });
}
