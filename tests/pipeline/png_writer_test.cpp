#include "pipeline/png_writer.hpp"

#include "errors/error.hpp"

#include <gtest/gtest.h>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include <algorithm>
#include <functional>
#include <random>
#include <string>

using namespace musetalk;
using namespace musetalk::pipeline;

namespace {

image make_picture(int32_t width, int32_t height, int32_t channels,
                   const std::function<uint8_t(int64_t)>& byte) {
  auto bytes = std::vector<uint8_t>(static_cast<size_t>(width) * height * channels);
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = byte(static_cast<int64_t>(i));
  return {width, height, channels, share(std::move(bytes))};
}

image noise(int32_t width, int32_t height, int32_t channels) {
  auto random = std::mt19937{7};
  return make_picture(width, height, channels,
                      [&](int64_t) { return static_cast<uint8_t>(random()); });
}

image gradient(int32_t width, int32_t height, int32_t channels) {
  return make_picture(width, height, channels,
                      [](int64_t i) { return static_cast<uint8_t>(i / 3 + i / 1000); });
}

/// What OpenCV (libpng) reads back, byte by byte.
std::vector<uint8_t> read_back(const std::vector<uint8_t>& file) {
  const auto picture = cv::Mat{cv::imdecode(file, cv::IMREAD_UNCHANGED)};
  return {picture.datastart, picture.dataend};
}

uint32_t u32_at(const std::vector<uint8_t>& file, size_t at) {
  return uint32_t{file[at]} << 24 | uint32_t{file[at + 1]} << 16 | uint32_t{file[at + 2]} << 8 |
         file[at + 3];
}

} // namespace

TEST(PngWriter, GivesBackEveryPixelOfAColourPicture) {
  auto encoder = png_encoder{};
  for (const auto& x : {noise(64, 48, 3), gradient(641, 481, 3), gradient(1, 1, 3),
                        noise(1, 500, 3), noise(500, 1, 3), gradient(1280, 720, 3)})
    EXPECT_EQ(read_back(encoder.encode(x)), *x.pixels) << x.width << " x " << x.height;
}

TEST(PngWriter, GivesBackEveryPixelOfAMask) {
  auto encoder = png_encoder{};
  for (const auto& x : {noise(64, 48, 1), gradient(477, 476, 1), gradient(1, 1, 1)})
    EXPECT_EQ(read_back(encoder.encode(x)), *x.pixels) << x.width << " x " << x.height;
}

TEST(PngWriter, StaysCorrectWhatItEncodedBefore) {
  auto encoder = png_encoder{};
  const auto large = noise(300, 200, 3);
  const auto small = gradient(33, 21, 1);
  encoder.encode(large);
  EXPECT_EQ(encoder.encode(small), encode_png(small));
  EXPECT_EQ(encoder.encode(large), encode_png(large));
}

TEST(PngWriter, DeflatesWhatCanBeDeflated) {
  const auto flat = make_picture(640, 480, 3, [](int64_t) { return uint8_t{77}; });
  EXPECT_LT(encode_png(flat).size(), flat.pixels->size() / 50);
  // Noise cannot; it must not blow up either.
  const auto random = noise(640, 480, 3);
  EXPECT_LT(encode_png(random).size(), random.pixels->size() * 102 / 100);
}

TEST(PngWriter, WritesTheHeaderThatReadersExpect) {
  const auto file = encode_png(gradient(641, 481, 3));
  EXPECT_EQ(std::string(file.begin() + 1, file.begin() + 4), "PNG");
  EXPECT_EQ(u32_at(file, 8), 13u);
  EXPECT_EQ(std::string(file.begin() + 12, file.begin() + 16), "IHDR");
  EXPECT_EQ(u32_at(file, 16), 641u);
  EXPECT_EQ(u32_at(file, 20), 481u);
  EXPECT_EQ(file[24], 8);                          // bits
  EXPECT_EQ(file[25], 2);                          // RGB
  EXPECT_EQ(encode_png(gradient(5, 5, 1))[25], 0); // gray
  // The last chunk is the same in every PNG, its checksum too.
  EXPECT_EQ(u32_at(file, file.size() - 12), 0u);
  EXPECT_EQ(u32_at(file, file.size() - 4), 0xAE426082u);
}

TEST(PngWriter, WritesRedFirst) {
  const auto blue = make_picture(4, 4, 3, [](int64_t i) { return i % 3 == 0 ? 255 : 0; });
  const auto seen = cv::Mat{cv::imdecode(encode_png(blue), cv::IMREAD_COLOR)};
  EXPECT_EQ(seen.at<cv::Vec3b>(2, 2), cv::Vec3b(255, 0, 0));
}

TEST(PngWriter, RefusesWhatIsNoPicture) {
  EXPECT_THROW(encode_png({}), error);
  EXPECT_THROW(encode_png({2, 2, 2, share(std::vector<uint8_t>(8))}), error);
  EXPECT_THROW(encode_png({2, 2, 3, share(std::vector<uint8_t>(11))}), error);
  EXPECT_THROW(encode_png({0, 2, 3, share({})}), error);
}
