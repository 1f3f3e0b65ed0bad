#include "pipeline/avatar_cycle.hpp"

#include "pipeline/box_pickle.hpp"
#include "pipeline/latents_writer.hpp"
#include "pipeline/png_writer.hpp"
#include "tests/pipeline/expect_error.hpp"
#include "tests/pipeline/sample_frames.hpp"
#include "tests/pipeline/temporary_folder.hpp"

#include <cstdio>

using namespace musetalk;
using namespace musetalk::pipeline;
namespace fs = std::filesystem;

namespace {

constexpr uint64_t plenty = 64 << 20;

std::string numbered(int64_t i) {
  char name[16];
  std::snprintf(name, sizeof name, "%08d.png", static_cast<int>(i));
  return name;
}

void write_png(const fs::path& path, const image& picture) {
  const auto bytes = encode_png(picture);
  write_file(path, std::as_bytes(std::span{bytes}));
}

/// A folder whose entries are the frames of these numbers, each written out.
void write_folder(const fs::path& folder, const std::vector<int64_t>& frames) {
  fs::create_directories(folder / "full_imgs");
  fs::create_directories(folder / "mask");
  auto boxes = std::vector<box>{};
  auto mask_boxes = std::vector<box>{};
  for (auto i = size_t{0}; i < frames.size(); ++i) {
    const auto x = test::make_frame(frames[i]);
    write_png(folder / "full_imgs" / numbered(static_cast<int64_t>(i)), x.source.picture);
    write_png(folder / "mask" / numbered(static_cast<int64_t>(i)), x.mask);
    boxes.push_back(x.face_box);
    mask_boxes.push_back(x.mask_box);
  }
  write_file(folder / "coords.pkl", bytes_of(pickle_boxes(boxes)));
  write_file(folder / "mask_coords.pkl", bytes_of(pickle_boxes(mask_boxes)));
}

/// `latents.pt` in this service's form: the latents of `frames`, forwards and backwards.
void write_latents(const fs::path& folder, const std::vector<int64_t>& frames) {
  auto writer = latents_writer{folder / "latents.pt"};
  for (const auto x : frames)
    writer.append(test::make_latent(x));
  writer.finish();
}

/// The numbers of the frames that a cycle holds, told by their pixels.
std::vector<int64_t> shown(avatar_cycle& cycle) {
  auto result = std::vector<int64_t>{};
  for (auto i = int64_t{0}; i < cycle.frames(); ++i) {
    const auto picture = cycle.frame_at(i).picture;
    for (auto number = int64_t{0}; number < 8; ++number)
      if (*picture.pixels == *test::make_frame(number).source.picture.pixels)
        result.push_back(number);
  }
  return result;
}

/// What is shown at the first steps of a video.
std::vector<int64_t> played(int64_t steps, int64_t start, int64_t frames, sync_mode mode) {
  auto result = std::vector<int64_t>{};
  for (auto step = int64_t{0}; step < steps; ++step)
    result.push_back(frame_of_step(step, start, frames, mode));
  return result;
}

using numbers = std::vector<int64_t>;

class AvatarCycle : public ::testing::Test {
protected:
  test::temporary_folder folder_;
};

} // namespace

TEST(FrameOfStep, GoesForwardsAndBackwards) {
  EXPECT_EQ(played(9, 0, 3, sync_mode::bounce), (numbers{0, 1, 2, 2, 1, 0, 0, 1, 2}));
  EXPECT_EQ(played(4, 2, 3, sync_mode::bounce), (numbers{2, 2, 1, 0}));
  EXPECT_EQ(played(3, 0, 1, sync_mode::bounce), (numbers{0, 0, 0}));
}

TEST(FrameOfStep, BeginsAnew) {
  EXPECT_EQ(played(7, 1, 3, sync_mode::loop), (numbers{1, 2, 0, 1, 2, 0, 1}));
}

TEST(FrameOfStep, EndsWithTheFrames) {
  EXPECT_EQ(played(4, 1, 3, sync_mode::cut_off), (numbers{1, 2, 3, 3}));
}

TEST_F(AvatarCycle, ReadsWhatThisServiceHasPublished) {
  const auto store = open_avatar_store(folder_.path());
  test::publish_version(*store, "anna", "job1", 3);
  auto cycle = avatar_cycle{store->layout().link("anna"), plenty};
  EXPECT_EQ(cycle.width(), 96);
  EXPECT_EQ(cycle.height(), 64);
  ASSERT_EQ(cycle.frames(), 3);
  EXPECT_EQ(shown(cycle), (numbers{0, 1, 2}));
  for (auto number = int64_t{0}; number < 3; ++number) {
    EXPECT_TRUE(cycle.has_face(number));
    EXPECT_EQ(*cycle.latent_at(number).half_bits, *test::make_latent(number).half_bits) << number;
    EXPECT_EQ(cycle.frame_at(number).face_box, test::make_frame(number).face_box) << number;
  }
}

TEST_F(AvatarCycle, ReadsUpstreamsPalindromeOfCopies) {
  write_folder(folder_.path(), {0, 1, 2, 2, 1, 0});
  write_latents(folder_.path(), {0, 1, 2});
  auto cycle = avatar_cycle{folder_.path(), plenty};
  EXPECT_EQ(shown(cycle), (numbers{0, 1, 2}));
}

TEST_F(AvatarCycle, ReadsAFolderWithoutMirror) {
  write_folder(folder_.path(), {0, 1, 2, 3});
  // Four latents: two of them forwards and backwards are as many.
  write_latents(folder_.path(), {0, 1});
  auto cycle = avatar_cycle{folder_.path(), plenty};
  EXPECT_EQ(shown(cycle), (numbers{0, 1, 2, 3}));
}

TEST_F(AvatarCycle, ShowsTheSameFromItsCache) {
  write_folder(folder_.path(), {0, 1, 1, 0});
  write_latents(folder_.path(), {0, 1});
  auto with = avatar_cycle{folder_.path(), plenty};
  auto without = avatar_cycle{folder_.path(), 0};
  for (auto step = int64_t{0}; step < 4; ++step) {
    const auto a = with.frame_at(step % 2);
    const auto b = without.frame_at(step % 2);
    EXPECT_EQ(*a.picture.pixels, *b.picture.pixels);
    EXPECT_EQ(a.area.place, b.area.place);
    EXPECT_EQ(*a.area.mask.pixels, *b.area.mask.pixels);
  }
}

TEST_F(AvatarCycle, GoesOnWhenAnotherVersionIsPublished) {
  const auto store = open_avatar_store(folder_.path());
  test::publish_version(*store, "anna", "job1", 2);
  auto cycle = avatar_cycle{store->layout().link("anna"), 0};
  test::publish_version(*store, "anna", "job2", 5);
  EXPECT_EQ(shown(cycle), (numbers{0, 1}));
}

TEST_F(AvatarCycle, SaysThatThereIsNone) {
  test::detail_of(errc::avatar_not_found, [&] { avatar_cycle{folder_.path() / "nobody", plenty}; });
}

TEST_F(AvatarCycle, SaysWhatDoesNotFit) {
  write_folder(folder_.path(), {0, 1, 1, 0});
  write_latents(folder_.path(), {0, 1});
  fs::remove(folder_.path() / "mask" / numbered(3));
  EXPECT_EQ(test::detail_of(errc::avatar_damaged,
                            [&] {
                              avatar_cycle{folder_.path(), plenty};
                            }),
            "The avatar has 4 frames, 3 masks, 4 boxes, 4 mask boxes and 4 latents.");
}

TEST_F(AvatarCycle, SaysWhichPictureIsDamaged) {
  write_folder(folder_.path(), {0, 1, 1, 0});
  write_latents(folder_.path(), {0, 1});
  auto cycle = avatar_cycle{folder_.path(), plenty};
  fs::remove(folder_.path() / "full_imgs" / numbered(1));
  write_file(folder_.path() / "full_imgs" / numbered(1), bytes_of("no picture"));
  cycle.frame_at(0);
  EXPECT_EQ(test::detail_of(errc::avatar_damaged, [&] { cycle.frame_at(1); }),
            "The picture 00000001.png cannot be read.");
}
