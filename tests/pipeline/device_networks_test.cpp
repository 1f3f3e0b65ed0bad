#include "pipeline/device_networks.hpp"

#include "pipeline/face_parsing.hpp"
#include "tests/pipeline/media.hpp"
#include "tests/pipeline/pictures.hpp"
#include "tests/pipeline/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <cmath>

using namespace musetalk;
using namespace musetalk::pipeline;

namespace {

constexpr auto own_way =
    face_methods{face_backend::dwpose, mask_source::bisenet, parsing_mode::jaw};

networks_config synthetic(const face_methods& faces) {
  return {{}, true, "cpu", 1, faces};
}

} // namespace

TEST(DeviceNetworks, RunTheWholeFacePathWithSyntheticWeights) {
  auto networks = open_device_networks(synthetic(own_way));
  auto frames = std::vector{plain(192, 144, uint8_t{90}), plain(64, 96, uint8_t{90})};
  auto seen = networks->find_faces(frames);
  ASSERT_EQ(seen.size(), 2u);
  ASSERT_EQ(seen[0].size(), 1u);
  // A schematic face in the middle: its detector's box lies around its points.
  auto points = networks->locate_points(frames);
  ASSERT_EQ(points.size(), 2u);
  for (auto i = size_t{0}; i < frames.size(); ++i)
    for (const auto& p : points[i]) {
      EXPECT_EQ(p.x, std::trunc(p.x));
      EXPECT_EQ(p.y, std::trunc(p.y));
      EXPECT_GE(p.x, static_cast<float>(seen[i][0].where.left - 1));
      EXPECT_LE(p.x, static_cast<float>(seen[i][0].where.right + 1));
    }
  auto maps = networks->parse_faces(std::vector{plain(parsing_size, parsing_size, uint8_t{90})});
  ASSERT_EQ(maps.size(), 1u);
  EXPECT_EQ(maps[0].width, parsing_size);
  EXPECT_EQ(maps[0].channels, 1);
  EXPECT_EQ(networks->encode(std::vector{plain(crop_size, crop_size, uint8_t{90})}).size(), 1u);
  EXPECT_NO_THROW(networks->warm_up(2));
  EXPECT_NO_THROW(networks->try_out());
}

TEST(DeviceNetworks, LoadOnlyWhatTheMethodsNeed) {
  auto networks = open_device_networks(synthetic({}));
  auto frame = std::vector{plain(64, 64, uint8_t{90})};
  EXPECT_EQ(error_of([&] { networks->find_faces(frame); }).code(), errc::internal);
  EXPECT_EQ(error_of([&] { networks->locate_points(frame); }).code(), errc::internal);
  EXPECT_EQ(error_of([&] { networks->parse_faces(frame); }).code(), errc::internal);
  EXPECT_NO_THROW(networks->warm_up(1));
}

TEST(DeviceNetworks, SayWhichFramesTheDetectorCannotTake) {
  auto networks = open_device_networks(synthetic(own_way));
  auto find = [&](int32_t width, int32_t height) {
    return error_of([&] { networks->find_faces(std::vector{plain(width, height, uint8_t{0})}); });
  };
  EXPECT_EQ(find(31, 64).code(), errc::video_too_small);
  EXPECT_EQ(find(8'193, 32).code(), errc::video_too_large);
}

TEST(DeviceNetworks, ReadTheirFilesByName) {
  auto folder = test::temporary_folder{};
  auto put = [&](const std::string& path, const std::string& from) {
    std::filesystem::create_directories((folder.path() / path).parent_path());
    std::filesystem::copy_file(golden(from), folder.path() / path);
  };
  put("sd-vae/config.json", "pipeline/tiny/vae/config.json");
  put("sd-vae/diffusion_pytorch_model.safetensors",
      "pipeline/tiny/vae/diffusion_pytorch_model.safetensors");
  put("face-parse-bisent/79999_iter.pth", "bisenet/tiny/bisenet.pth");
  put("dwpose/dw-ll_ucoco_384.pth", "dwpose/tiny/dwpose.pth");
  put("s3fd/s3fd-619a316812.pth", "s3fd/tiny/s3fd.pth");
  auto networks = open_device_networks({folder.path(), false, "cpu", 1, own_way});
  EXPECT_EQ(networks->report().weights, "real");
  // Canvases have the size that the network at hand takes, not the published one.
  auto frames = std::vector{plain(192, 144, uint8_t{90}), plain(96, 128, uint8_t{20})};
  EXPECT_EQ(networks->locate_points(frames).size(), 2u);
  EXPECT_EQ(networks->find_faces(frames).size(), 2u);
}
