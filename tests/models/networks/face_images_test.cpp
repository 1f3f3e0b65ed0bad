#include "models/networks/face_images.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

using namespace musetalk::models;

TEST(FaceImages, BlackOutTheLowerHalfBeforeTheNormalisation) {
  auto bgr = at::empty({1, 4, 4, 3}, at::kByte).fill_(255);
  auto x = encoder_input(bgr);
  EXPECT_EQ(x.sizes(), (at::IntArrayRef{2, 3, 4, 4}));
  EXPECT_EQ(x[0].narrow(1, 0, 2).min().item<float>(), 1.f);
  EXPECT_EQ(x[0].narrow(1, 2, 2).max().item<float>(), -1.f);
  EXPECT_EQ(x[1].min().item<float>(), 1.f);
}

TEST(FaceImages, TurnBgrIntoRgbAndBack) {
  auto bgr = at::tensor({10, 20, 30}, at::kByte).view({1, 1, 1, 3});
  auto rgb = encoder_input(bgr)[1];
  EXPECT_GT(rgb[0].item<float>(), rgb[2].item<float>());
  EXPECT_TRUE(to_pictures(rgb.unsqueeze(0)).equal(bgr));
}

TEST(FaceImages, RoundHalfToEvenAndClamp) {
  // x / 2 + 0.5 is 0.5 / 255 and 1.5 / 255: halves between two levels.
  auto image =
      at::tensor({0.5 / 255 * 2 - 1, 1.5 / 255 * 2 - 1, 7.0}, at::kDouble).view({1, 3, 1, 1});
  auto picture = to_pictures(image).flatten(); // BGR
  EXPECT_EQ(picture[0].item<int>(), 255);
  EXPECT_NEAR(picture[1].item<int>(), 2, 1);
  EXPECT_NEAR(picture[2].item<int>(), 0, 1);
}
