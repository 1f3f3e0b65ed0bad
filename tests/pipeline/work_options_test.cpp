#include "pipeline/work_options.hpp"

#include "tests/pipeline/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>

using namespace musetalk::pipeline;

namespace {

work_options some() {
  auto x = work_options{};
  x.engine = "native";
  x.weights = "real";
  x.models = "abc";
  x.x264_preset = "veryfast";
  x.video_kbps = 3000;
  x.max_gap_frames = 12;
  x.blur_strength = 2.;
  return x;
}

} // namespace

TEST(WorkOptions, HaveAKeyThatChangesWithEachOfThem) {
  auto same = options_key(some(), false);
  EXPECT_EQ(same.size(), 64u);
  EXPECT_EQ(options_key(some(), false), same);
  EXPECT_NE(options_key(some(), true), same);
  for (const auto& change : std::initializer_list<std::function<void(work_options&)>>{
           [](auto& x) { x.engine = "upstream"; }, [](auto& x) { x.weights = "synthetic"; },
           [](auto& x) { x.models = "abd"; }, [](auto& x) { x.x264_preset = "fast"; },
           [](auto& x) { x.video_kbps = 3001; }, [](auto& x) { x.max_gap_frames = 13; },
           [](auto& x) { x.max_damaged_share = .1; },
           [](auto& x) { x.faces.backend = face_backend::dwpose; },
           [](auto& x) { x.faces.mask = mask_source::bisenet; },
           [](auto& x) {
             x.faces.mode = parsing_mode::raw;
           }}) {
    auto x = some();
    change(x);
    EXPECT_NE(options_key(x, false), same);
  }
}

TEST(WorkOptions, CountBlurOnlyWhereSomethingIsBlurred) {
  auto strong = some();
  strong.blur_strength = 6.;
  EXPECT_EQ(options_key(strong, false), options_key(some(), false));
  EXPECT_NE(options_key(strong, true), options_key(some(), true));
}

TEST(WorkOptions, CountNoNetworksInMockMode) {
  auto x = some();
  x.engine = "mock";
  auto other = x;
  other.models = "abd";
  other.faces.backend = face_backend::dwpose;
  EXPECT_EQ(options_key(x, false), options_key(other, false));
}

TEST(WorkOptions, KnowFilesThatWereChanged) {
  auto folder = musetalk::test::temporary_folder{};
  auto files = std::vector{folder.path() / "a.bin", folder.path() / "b.bin"};
  auto none = identity_of(files);
  std::ofstream{files[0]} << "weights";
  auto one = identity_of(files);
  EXPECT_NE(one, none);
  EXPECT_EQ(identity_of(files), one);
  auto time = std::filesystem::last_write_time(files[0]);
  std::filesystem::last_write_time(files[0], time + std::chrono::seconds{1});
  EXPECT_NE(identity_of(files), one) << "the same length at another time";
}
