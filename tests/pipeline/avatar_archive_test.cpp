#include "pipeline/avatar_archive.hpp"

#include "models/checkpoint/crc32.hpp"
#include "pipeline/avatar_export.hpp"
#include "pipeline/avatar_store.hpp"
#include "pipeline/tar_reader.hpp"
#include "pipeline/tar_writer.hpp"
#include "tests/pipeline/expect_error.hpp"
#include "tests/pipeline/sample_frames.hpp"
#include "tests/pipeline/temporary_folder.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <functional>
#include <map>

using namespace musetalk;
using namespace musetalk::pipeline;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

constexpr auto frames = int64_t{5};

class AvatarArchive : public ::testing::Test {
protected:
  AvatarArchive() {
    test::publish_version(*store_, "anna", "job1", frames);
    fs::create_directory(scratch_);
  }

  static std::string exported(const fs::path& folder, size_t piece = 1 << 16) {
    auto source = avatar_export{folder, "anna"};
    auto result = std::string{};
    auto buffer = std::vector<std::byte>(piece);
    while (auto count = source.read(buffer))
      result.append(reinterpret_cast<const char*>(buffer.data()), count);
    EXPECT_EQ(result.size(), source.bytes());
    return result;
  }

  avatar_archive open(const std::string& bytes) {
    auto path = folder_.path() / "archive.tar";
    fs::remove(path);
    write_file(path, bytes_of(bytes));
    return {path, scratch_, limits_};
  }

  /// Opens and reads all of it.
  std::vector<archive_batch> read_all(const std::string& bytes, int32_t batch = 2) {
    auto archive = open(bytes);
    auto result = std::vector<archive_batch>{};
    do
      result.push_back(archive.next(batch));
    while (!result.back().prepared.last);
    return result;
  }

  std::string refusal(const std::string& bytes) {
    return test::detail_of(errc::request_malformed, [&] { read_all(bytes); });
  }

  /// The files of the version by name, to be changed.
  std::map<std::string, std::string> files() const {
    auto result = std::map<std::string, std::string>{};
    for (const auto& entry : fs::recursive_directory_iterator{version_})
      if (entry.is_regular_file())
        result[fs::relative(entry.path(), version_).string()] = read_file(entry.path(), 1 << 24);
    return result;
  }

  static std::string tar_of(const std::map<std::string, std::string>& what,
                            const std::string& top = "anna/") {
    auto result = std::string{};
    for (const auto& [name, text] : what)
      result += tar_file_header(top + name, text.size(), 0) + text +
                std::string(tar_padding(text.size()), '\0');
    return result + tar_end();
  }

  test::temporary_folder folder_;
  std::unique_ptr<avatar_store> store_ = open_avatar_store(folder_.path() / "avatars");
  fs::path version_ = store_->layout().version("anna", "v000001");
  fs::path scratch_ = folder_.path() / "scratch";
  media_limits limits_ = {.max_video_seconds = 30.,
                          .max_pixels = 1'000'000,
                          .min_side_pixels = 8,
                          .max_frames = 750,
                          .max_probe_seconds = 10.};
};

} // namespace

TEST_F(AvatarArchive, GivesBackWhatWasExported) {
  auto archive = exported(version_);
  auto opened = open(archive);
  EXPECT_EQ(opened.facts().frames, frames);
  EXPECT_EQ(opened.facts().width, 96);
  EXPECT_EQ(opened.facts().height, 64);
  EXPECT_EQ(opened.facts().weights, "synthetic");
  EXPECT_EQ(opened.facts().tutor_id, "tutor 1");
  EXPECT_EQ(opened.facts().video_sha256, std::string(64, 'a'));
  auto number = int64_t{0};
  for (const auto& batch : read_all(archive)) {
    ASSERT_EQ(batch.latents.size(), batch.prepared.frames.size());
    for (auto i = size_t{0}; i < batch.latents.size(); ++i, ++number) {
      auto made = test::make_frame(number);
      const auto& found = batch.prepared.frames[i];
      EXPECT_EQ(found.source.index, number);
      EXPECT_EQ(*found.source.picture.pixels, *made.source.picture.pixels);
      EXPECT_EQ(*found.mask.pixels, *made.mask.pixels);
      EXPECT_EQ(found.face_box.left, made.face_box.left);
      EXPECT_EQ(found.mask_box.bottom, made.mask_box.bottom);
      EXPECT_EQ(*batch.latents[i].half_bits, *test::make_latent(number).half_bits);
    }
  }
  EXPECT_EQ(number, frames);
}

TEST_F(AvatarArchive, ExportsTheSameBytesInPiecesOfAnySize) {
  auto whole = exported(version_);
  EXPECT_EQ(exported(version_, 1), whole);
  EXPECT_EQ(exported(version_, 513), whole);
}

// Mirrored frames have no bytes of their own.
TEST_F(AvatarArchive, ExportsMirroredFramesAsLinks) {
  auto path = folder_.path() / "x.tar";
  write_file(path, bytes_of(exported(version_)));
  auto open = open_for_reading(path);
  auto table = read_tar_table(open);
  EXPECT_EQ(table.at("anna/full_imgs/00000000.png").offset,
            table.at("anna/full_imgs/00000009.png").offset);
  EXPECT_EQ(table.size(), 20u + 9u);
}

TEST_F(AvatarArchive, GoesOnWhileTheVersionIsRemoved) {
  auto whole = exported(version_);
  auto source = avatar_export{version_, "anna"};
  store_->remove_avatar("anna");
  auto buffer = std::vector<std::byte>(whole.size() + 1);
  EXPECT_EQ(source.read(buffer), whole.size());
  store_->sweep(1000);
  test::detail_of(errc::version_not_found, [&] { avatar_export(version_, "anna"); });
}

TEST_F(AvatarArchive, TellsWhenAFileBecameShorter) {
  auto source = avatar_export{version_, "anna"};
  fs::resize_file(version_ / "latents.pt", 100);
  auto buffer = std::vector<std::byte>(1 << 24);
  test::detail_of(errc::avatar_damaged, [&] { source.read(buffer); });
}

TEST_F(AvatarArchive, TakesAFolderThatTarMade) {
  EXPECT_EQ(read_all(tar_of(files(), "")).size(), 3u);
  EXPECT_EQ(read_all(tar_of(files(), "./other-name/")).size(), 3u);
}

TEST_F(AvatarArchive, TakesFramesThatAreNoPalindromeAsTheyAre) {
  auto one_way = files();
  for (auto i = frames; i < 2 * frames; ++i)
    for (const auto* folder : {"full_imgs/0000000", "mask/0000000"})
      one_way.erase(folder + std::to_string(i) + ".png");
  // Five boxes are no palindrome of an even count.
  test::publish_version(*store_, "bert", "job2", 1);
  auto lists = one_way;
  EXPECT_THAT(refusal(tar_of(lists)), HasSubstr("full_imgs has 5 pictures, coords.pkl 10 boxes"));
}

TEST_F(AvatarArchive, MakesAVideoOfTheFramesWhereThereIsNone) {
  auto without = files();
  without.erase("video.mp4");
  auto archive = open(tar_of(without));
  auto video = folder_.path() / "made.mp4";
  archive.unpack_video(video);
  while (!archive.next(2).prepared.last) {
    // nop
  }
  EXPECT_GT(fs::file_size(video), 100u);
}

TEST_F(AvatarArchive, RefusesAVideoThatIsNone) {
  auto archive = open(exported(version_));
  // The sample's is a text.
  test::detail_of(errc::video_unreadable,
                  [&] { archive.unpack_video(folder_.path() / "video.mp4"); });
}

TEST_F(AvatarArchive, RefusesNamesThatNoneOfAnAvatarHas) {
  for (const auto* name : {"evil.py", "full_imgs/x.png", "full_imgs/00000001.png.exe",
                           "full_imgs/123456789.png", "masks/00000001.png", ".bashrc"}) {
    auto more = files();
    more[name] = "x";
    EXPECT_THAT(refusal(tar_of(more)), HasSubstr("name")) << name;
  }
}

TEST_F(AvatarArchive, RefusesListsThatDiffer) {
  for (const auto* name : {"coords.pkl", "mask_coords.pkl", "latents.pt", "mask/00000009.png",
                           "full_imgs/00000000.png"}) {
    auto less = files();
    less.erase(name);
    refusal(tar_of(less));
  }
  test::publish_version(*store_, "bert", "job2", 2);
  auto other = store_->layout().version("bert", "v000001");
  for (const auto* name : {"coords.pkl", "mask_coords.pkl", "latents.pt"}) {
    auto mixed = files();
    mixed[name] = read_file(other / name, 1 << 24);
    refusal(tar_of(mixed));
  }
}

// A pickle that would run a program in Python.
TEST_F(AvatarArchive, ExecutesNothing) {
  auto evil = std::string{"cos\nsystem\n(S'touch /tmp/musetalkd-was-here'\ntR."};
  for (const auto* name : {"coords.pkl", "mask_coords.pkl", "latents.pt"}) {
    auto changed = files();
    changed[name] = evil;
    refusal(tar_of(changed));
  }
  EXPECT_FALSE(fs::exists("/tmp/musetalkd-was-here"));
}

TEST_F(AvatarArchive, RefusesPicturesThatCannotBe) {
  auto change = [&](const std::string& name, const std::function<void(std::string&)>& f) {
    auto changed = files();
    f(changed[name]);
    return refusal(tar_of(changed));
  };
  auto sealed = [](std::string& x) {
    auto sum = models::crc32(std::as_bytes(std::span{x}.subspan(12, 17)));
    for (auto i = size_t{0}; i < 4; ++i)
      x[29 + i] = static_cast<char>(sum >> (24 - 8 * i));
  };
  // States 65,535 x 65,535 pixels: never made.
  EXPECT_THAT(change("full_imgs/00000001.png",
                     [&](auto& x) {
                       x.replace(16, 8, std::string{"\0\0\xff\xff\0\0\xff\xff", 8});
                       sealed(x);
                     }),
              HasSubstr("65535 x 65535"));
  change("full_imgs/00000000.png", [](auto& x) { x = "text"; });
  change("full_imgs/00000001.png", [](auto& x) { x.resize(40); });
  EXPECT_THAT(change("mask/00000002.png",
                     [&](auto& x) {
                       x[24] = 16;
                       sealed(x);
                     }),
              HasSubstr("16 bits"));
  EXPECT_THAT(change("mask/00000002.png", [](auto& x) { x[60] ^= 1; }),
              HasSubstr("cut or damaged"));
  // A mask of another size than its box; a frame of another size than the first.
  test::publish_version(*store_, "bert", "job2", 2);
  auto mask = read_file(version_ / "mask/00000000.png", 1 << 24);
  auto frame = read_file(version_ / "full_imgs/00000000.png", 1 << 24);
  change("mask/00000001.png", [&](auto& x) { x = frame; });
  change("full_imgs/00000001.png", [&](auto& x) { x = mask; });
}

TEST_F(AvatarArchive, RefusesMoreFramesThanAllowed) {
  limits_.max_frames = frames - 1;
  EXPECT_EQ(test::detail_of(errc::video_too_many_frames, [&] { open(exported(version_)); }),
            "The avatar has 5 frames; the limit is 4.");
}

TEST_F(AvatarArchive, BelievesNothingOfTheManifestThatIsNoFact) {
  auto changed = files();
  changed["manifest.json"] =
      R"({"weights":7,"tutor_id":"a\nb","source":{"sha256":"../../x"},"apply_blur":"yes"})";
  auto archive = open(tar_of(changed));
  EXPECT_EQ(archive.facts().weights, "real");
  EXPECT_EQ(archive.facts().tutor_id, "");
  EXPECT_EQ(archive.facts().video_sha256, "");
  EXPECT_FALSE(archive.facts().apply_blur);
  changed["manifest.json"] = "[[[[";
  EXPECT_EQ(open(tar_of(changed)).facts().frames, frames);
}
