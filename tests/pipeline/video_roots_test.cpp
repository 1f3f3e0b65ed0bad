#include "pipeline/video_roots.hpp"

#include "tests/pipeline/expect_error.hpp"
#include "tests/pipeline/temporary_folder.hpp"

#include <sys/stat.h>

using namespace musetalk;
using namespace musetalk::pipeline;
namespace fs = std::filesystem;

namespace {

/// root/clips/a.mp4 and, outside, secret/b.mp4.
class VideoRoots : public ::testing::Test {
protected:
  VideoRoots() {
    fs::create_directories(root() / "clips");
    fs::create_directory(secret());
    write_file(root() / "clips" / "a.mp4", bytes_of("abc"));
    write_file(secret() / "b.mp4", bytes_of("secret"));
  }

  fs::path root() const { return folder_.path() / "root"; }
  fs::path secret() const { return folder_.path() / "secret"; }

  rooted_video open(const std::string& path) const {
    return open_below(std::vector{folder_.path() / "absent", root()}, path);
  }

  void expect_forbidden(const std::string& path) const {
    auto detail = test::detail_of(errc::video_path_forbidden, [&] { open(path); });
    EXPECT_EQ(detail.find(folder_.path().string()), std::string::npos) << detail;
  }

  void expect_absent(const std::string& path) const {
    test::detail_of(errc::video_path_not_found, [&] { open(path); });
  }

  test::temporary_folder folder_;
};

} // namespace

TEST_F(VideoRoots, OpensAFileBelow) {
  for (const auto& path : {(root() / "clips/a.mp4").string(), std::string{"clips/a.mp4"},
                           std::string{"./clips/../clips//a.mp4"}}) {
    auto video = open(path);
    EXPECT_EQ(video.path, fs::canonical(root() / "clips/a.mp4"));
    EXPECT_EQ(video.bytes, 3u);
    auto text = std::array<std::byte, 3>{};
    EXPECT_TRUE(video.handle.read_at(0, text));
  }
}

TEST_F(VideoRoots, LooksIntoEveryRoot) {
  auto video = open_below(std::vector{root(), secret()}, "b.mp4");
  EXPECT_EQ(video.path.filename(), "b.mp4");
}

TEST_F(VideoRoots, ForbidsWhatLiesOutside) {
  expect_forbidden((secret() / "b.mp4").string());
  expect_forbidden((secret() / "absent.mp4").string()); // the same answer: nothing is told
  expect_forbidden("/etc/passwd");
  expect_forbidden("../secret/b.mp4");
  expect_forbidden("clips/../../secret/b.mp4");
  expect_forbidden(root().string() + "2/a.mp4");
  expect_forbidden("/");
}

TEST_F(VideoRoots, ForbidsAWayOutByALink) {
  fs::create_symlink(secret() / "b.mp4", root() / "link.mp4");
  fs::create_symlink(secret(), root() / "folder");
  fs::create_symlink("../../secret/b.mp4", root() / "clips" / "relative.mp4");
  expect_forbidden("link.mp4");
  expect_forbidden("folder/b.mp4");
  expect_forbidden("folder/absent.mp4"); // the same answer: nothing is told
  expect_forbidden("clips/relative.mp4");
  expect_forbidden("folder/../secret/b.mp4");
}

TEST_F(VideoRoots, FollowsALinkThatStaysBelow) {
  fs::create_symlink(root() / "clips" / "a.mp4", root() / "absolute.mp4");
  fs::create_symlink("clips/a.mp4", root() / "relative.mp4");
  EXPECT_EQ(open("absolute.mp4").path, fs::canonical(root() / "clips/a.mp4"));
  EXPECT_EQ(open("relative.mp4").path, fs::canonical(root() / "clips/a.mp4"));
}

TEST_F(VideoRoots, TakesARootThatIsALinkItself) {
  fs::create_symlink(root(), folder_.path() / "alias");
  auto alias = std::vector{folder_.path() / "alias"};
  EXPECT_EQ(open_below(alias, "clips/a.mp4").bytes, 3u);
  EXPECT_EQ(open_below(alias, (folder_.path() / "alias/clips/a.mp4").string()).bytes, 3u);
  EXPECT_EQ(open_below(alias, (root() / "clips/a.mp4").string()).bytes, 3u);
}

TEST_F(VideoRoots, FindsOnlyPlainFiles) {
  ASSERT_EQ(::mkfifo((root() / "pipe.mp4").c_str(), 0600), 0);
  fs::create_symlink("nowhere", root() / "dangling.mp4");
  fs::create_symlink("loop.mp4", root() / "loop.mp4");
  expect_absent("absent.mp4");
  expect_absent("clips");
  expect_absent("clips/a.mp4/");
  expect_absent("clips/a.mp4/x");
  expect_absent("pipe.mp4"); // and does not wait for its other end
  expect_absent("dangling.mp4");
  expect_absent("loop.mp4");
}

TEST_F(VideoRoots, RefusesAPathThatIsNone) {
  for (const auto& path : {std::string{}, std::string(5000, 'a'), std::string{"a\0b", 3}})
    test::detail_of(errc::request_field_invalid, [&] { open(path); });
}

TEST_F(VideoRoots, ForbidsEverythingWithoutRoots) {
  test::detail_of(errc::video_path_forbidden, [] { open_below({}, "/etc/passwd"); });
}
