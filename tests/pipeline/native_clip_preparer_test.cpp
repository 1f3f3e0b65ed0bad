#include "pipeline/native_clip_preparer.hpp"

#include "pipeline/face_mask.hpp"
#include "tests/pipeline/fake_analysis.hpp"
#include "tests/pipeline/media.hpp"

#include <gmock/gmock.h>

using namespace musetalk;
using namespace musetalk::pipeline;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace {

prepare_config settings() {
  auto result = prepare_config{};
  result.limits.max_probe_seconds = 30.;
  result.face_models_dir = std::filesystem::path{MUSETALK_SOURCE_DIR} / ".deps" / "models" / "face";
  result.x264_preset = "ultrafast";
  result.threads = 2;
  return result;
}

clip_request request_for(const std::string& name, const std::filesystem::path& video = {}) {
  return {media(name), video, false, false};
}

std::vector<prepared_frame> prepare(const clip_request& request, int32_t batch,
                                    const prepare_config& config = settings(),
                                    const face_analysis_ptr& analysis = nullptr) {
  auto preparer = open_clip(request, config, analysis);
  auto result = std::vector<prepared_frame>{};
  for (auto last = false; !last;) {
    auto got = preparer->next(batch);
    last = got.last;
    EXPECT_LE(got.frames.size(), static_cast<size_t>(batch));
    EXPECT_GE(got.frames_decoded, static_cast<int64_t>(result.size() + got.frames.size()));
    std::move(got.frames.begin(), got.frames.end(), std::back_inserter(result));
  }
  return result;
}

int64_t frames_of(const std::filesystem::path& video) {
  return probe_video(video, settings().limits).predicted_frames;
}

bool inside(const box& x, const image& picture) {
  return x.left >= 0 && x.top >= 0 && x.right <= picture.width && x.bottom <= picture.height &&
         x.left < x.right && x.top < x.bottom;
}

} // namespace

TEST(NativeClipPreparer, PreparesEveryFrameOfTheSample) {
  const auto folder = scratch_folder{};
  const auto frames = prepare(request_for("carphone.mp4", folder / "video.mp4"), 8);
  ASSERT_EQ(frames.size(), 100u);
  for (size_t i = 0; i < frames.size(); ++i) {
    const auto& x = frames[i];
    EXPECT_EQ(x.source.index, static_cast<int64_t>(i));
    EXPECT_EQ(x.source.picture.width, 192);
    EXPECT_EQ(x.source.picture.height, 144);
    EXPECT_TRUE(inside(x.face_box, x.source.picture)) << i;
    EXPECT_TRUE(inside(x.mask_box, x.source.picture)) << i;
    EXPECT_EQ(x.crop.width, crop_size);
    EXPECT_EQ(x.crop.height, crop_size);
    EXPECT_EQ(x.mask.channels, 1);
    EXPECT_EQ(x.mask.width, x.mask_box.width());
    EXPECT_EQ(x.mask.height, x.mask_box.height());
    EXPECT_FALSE(x.held);
    EXPECT_TRUE(x.seen.has_value());
  }
  EXPECT_EQ(frames_of(folder / "video.mp4"), 100);
}

TEST(NativeClipPreparer, GivesTheSameInBatchesOfAnySize) {
  const auto all = prepare(request_for("covered_8.mp4"), 1000);
  for (const auto batch : {1, 7, 100}) {
    const auto some = prepare(request_for("covered_8.mp4"), batch);
    ASSERT_EQ(some.size(), all.size());
    for (size_t i = 0; i < all.size(); ++i) {
      EXPECT_EQ(some[i].source.index, all[i].source.index);
      EXPECT_EQ(some[i].face_box, all[i].face_box);
      EXPECT_EQ(*some[i].mask.pixels, *all[i].mask.pixels);
    }
  }
}

TEST(NativeClipPreparer, BridgesAFaceThatIsCoveredForAWhile) {
  auto preparer = open_clip(request_for("covered_8.mp4"), settings());
  const auto all = preparer->next(1000);
  EXPECT_TRUE(all.last);
  ASSERT_EQ(all.frames.size(), 100u);
  for (const auto& x : all.frames) {
    EXPECT_EQ(x.held, x.source.index >= 40 && x.source.index <= 47) << x.source.index;
    EXPECT_EQ(x.held, !x.seen.has_value());
  }
  EXPECT_EQ(preparer->times().held_frames, 8);
}

TEST(NativeClipPreparer, NamesTheFramesOfAFaceThatIsLostForLong) {
  const auto x = error_of([] { prepare(request_for("covered_30.mp4"), 8); });
  EXPECT_EQ(x.code(), errc::face_lost);
  EXPECT_THAT(x.detail(), HasSubstr("40"));
}

TEST(NativeClipPreparer, RefusesAClipWithoutAFace) {
  const auto x = error_of([] { prepare(request_for("plain.mp4"), 8); });
  EXPECT_EQ(x.code(), errc::face_none);
}

TEST(NativeClipPreparer, ClampsAFaceThatTheEdgeCuts) {
  const auto frames = prepare(request_for("cut_face.mp4"), 8);
  ASSERT_EQ(frames.size(), 60u);
  auto at_edge = 0;
  for (const auto& x : frames) {
    EXPECT_TRUE(inside(x.face_box, x.source.picture)) << x.source.index;
    EXPECT_TRUE(inside(x.mask_box, x.source.picture)) << x.source.index;
    at_edge += x.face_box.left == 0 ? 1 : 0;
  }
  EXPECT_GT(at_edge, 0);
}

TEST(NativeClipPreparer, ConvertsOnlyWhenThatIsAsked) {
  const auto folder = scratch_folder{};
  auto config = settings();
  config.face_models_dir = folder / "no models here";
  auto request = request_for("plain.mp4", folder / "video.mp4");
  request.convert_only = true;
  auto preparer = open_clip(request, config);
  auto calls = 0;
  for (auto last = false; !last; ++calls) {
    const auto got = preparer->next(30);
    EXPECT_TRUE(got.frames.empty());
    EXPECT_EQ(got.frames_decoded, std::min(100, 30 * (calls + 1)));
    last = got.last;
  }
  EXPECT_EQ(calls, 4);
  EXPECT_EQ(frames_of(folder / "video.mp4"), 100);
}

TEST(NativeClipPreparer, BlursFramesAndVideoAlikeButMovesNoFace) {
  const auto folder = scratch_folder{};
  const auto plain = prepare(request_for("covered_8.mp4"), 8);
  auto request = request_for("covered_8.mp4", folder / "video.mp4");
  request.apply_blur = true;
  const auto blurred = prepare(request, 8);
  ASSERT_EQ(blurred.size(), plain.size());
  EXPECT_EQ(blurred[10].face_box, plain[10].face_box);
  EXPECT_NE(*blurred[10].source.picture.pixels, *plain[10].source.picture.pixels);
  EXPECT_EQ(frames_of(folder / "video.mp4"), 100);
}

TEST(NativeClipPreparer, MeasuresItsParts) {
  const auto folder = scratch_folder{};
  auto preparer = open_clip(request_for("carphone.mp4", folder / "video.mp4"), settings());
  preparer->next(1000);
  const auto x = preparer->times();
  for (const auto part : {x.decode_s, x.colour_s, x.convert_s, x.detect_s, x.crop_s, x.mask_s})
    EXPECT_GT(part, 0.);
  EXPECT_EQ(x.blur_s, 0.);
  EXPECT_EQ(x.damaged_frames, 0);
}

// -- on a device --------------------------------------------------------------------

namespace {

prepare_config on_device() {
  auto result = settings();
  result.face_models_dir = "/no packaged models are needed";
  result.faces = {face_backend::dwpose, mask_source::bisenet, parsing_mode::raw};
  return result;
}

/// Sees nobody in the frames of these numbers, counted as they come.
std::shared_ptr<fake_analysis> blind_in(int64_t first, int64_t last) {
  auto result = std::make_shared<fake_analysis>();
  auto see = result->see;
  result->see = [=, number = int64_t{0}](const image& x) mutable {
    auto i = number++;
    return i >= first && i <= last ? seen_faces{} : see(x);
  };
  return result;
}

} // namespace

TEST(NativeClipPreparer, AsksADeviceOnceForEachBatch) {
  auto networks = std::make_shared<fake_analysis>();
  const auto frames = prepare(request_for("covered_8.mp4"), 30, on_device(), networks);
  ASSERT_EQ(frames.size(), 100u);
  EXPECT_THAT(networks->asked_to_find, ElementsAre(30u, 30u, 30u, 10u));
  EXPECT_THAT(networks->asked_to_locate, ElementsAre(30u, 30u, 30u, 10u));
  EXPECT_THAT(networks->asked_to_parse, ElementsAre(30u, 30u, 30u, 10u));
  const auto& x = frames[7];
  const auto& picture = x.source.picture;
  // The box rule on the points, as everywhere: the bridge in the middle, ten rows below the chin.
  const auto half = fake_analysis::middle_of(picture);
  EXPECT_EQ(x.face_box, (box{half.left, half.top, half.right, half.bottom + 10}));
  // The parser saw the crop box of the frame, and its mask is what is blended.
  EXPECT_EQ(*networks->parsed[7].pixels,
            *parsing_picture(picture, mask_crop_box(x.face_box)).pixels);
  const auto expected = mask_from_parsing(
      mask_of_classes(plain(parsing_size, parsing_size, uint8_t{1}, 1), parsing_mode::raw),
      x.face_box, picture.width, picture.height);
  EXPECT_EQ(x.mask_box, expected.place);
  EXPECT_EQ(*x.mask.pixels, *expected.mask.pixels);
}

TEST(NativeClipPreparer, BridgesFramesInWhichTheDetectorSeesNobody) {
  const auto frames = prepare(request_for("carphone.mp4"), 8, on_device(), blind_in(20, 31));
  ASSERT_EQ(frames.size(), 100u);
  for (const auto& x : frames)
    EXPECT_EQ(x.held, x.source.index >= 20 && x.source.index <= 31) << x.source.index;
  const auto lost =
      error_of([] { prepare(request_for("carphone.mp4"), 8, on_device(), blind_in(20, 32)); });
  EXPECT_EQ(lost.code(), errc::face_lost);
  EXPECT_THAT(lost.detail(), HasSubstr("20 to 32"));
}

TEST(NativeClipPreparer, TakesTheDetectorsBoxWherePointsAreOfNoUse) {
  auto networks = std::make_shared<fake_analysis>();
  networks->point_out = [](const image&) {
    return plain_face(-5.f, 60.f, 50.f, 90.f).landmarks;
  };
  const auto frames = prepare(request_for("covered_8.mp4"), 50, on_device(), networks);
  const auto half = fake_analysis::middle_of(frames[0].source.picture);
  EXPECT_EQ(frames[0].face_box, (box{half.left, half.top, half.right, half.bottom + 10}));
}

TEST(NativeClipPreparer, NeedsTheDeviceThatItsMethodsNeed) {
  EXPECT_EQ(error_of([] { open_clip(request_for("carphone.mp4"), on_device()); }).code(),
            errc::internal);
}

TEST(CheckFaces, AsksADeviceWhenItsDetectorIsMeant) {
  auto networks = std::make_shared<fake_analysis>();
  EXPECT_NO_THROW(check_faces(media("plain.mp4"), on_device(), networks));
  EXPECT_THAT(networks->asked_to_find, ElementsAre(4u, 3u));
  EXPECT_THAT(networks->asked_to_locate, IsEmpty());
  auto verdict = [&](const seen_faces& seen) {
    networks->see = [=](const image&) {
      return seen;
    };
    return error_of([&] { check_faces(media("plain.mp4"), on_device(), networks); }).code();
  };
  EXPECT_EQ(verdict({}), errc::face_none);
  EXPECT_EQ(verdict({{{0, 0, 60, 60}, 0.9f}, {{80, 0, 140, 60}, 0.8f}}), errc::face_several);
  EXPECT_EQ(verdict({{{0, 0, 20, 20}, 0.9f}}), errc::face_too_small);
}

// -- samples ------------------------------------------------------------------------

TEST(CheckFaces, TakesOneClearFace) {
  EXPECT_NO_THROW(check_faces(media("carphone.mp4"), settings()));
  EXPECT_NO_THROW(check_faces(media("carphone720.mp4"), settings()));
}

TEST(CheckFaces, RefusesNone) {
  EXPECT_EQ(error_of([] { check_faces(media("plain.mp4"), settings()); }).code(), errc::face_none);
}

TEST(CheckFaces, RefusesSeveral) {
  const auto x = error_of([] { check_faces(media("twins.mp4"), settings()); });
  EXPECT_EQ(x.code(), errc::face_several);
  EXPECT_THAT(x.detail(), HasSubstr("2"));
}

TEST(CheckFaces, RefusesAFaceOfAFewPixels) {
  EXPECT_EQ(error_of([] { check_faces(media("small_face.mp4"), settings()); }).code(),
            errc::face_too_small);
}
