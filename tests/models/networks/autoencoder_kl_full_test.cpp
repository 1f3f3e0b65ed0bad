#include "models/networks/autoencoder_kl.hpp"

#include "tests/models/golden.hpp"
#include "tests/models/parity.hpp"

#include <ATen/ops/avg_pool2d.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

using namespace musetalk::models;
using namespace musetalk::models::testing;

TEST(AutoencoderKLFull, EqualsDiffusersAtFullSize) {
  auto expected = golden_case{goldens() / "vae/full"};
  auto network = AutoencoderKL{autoencoder_config::from_json(expected.config())};
  EXPECT_EQ(parameter_count(*network), 83'653'863u);
  fill_full_size(*network, expected);
  place(*network, placement{});
  c10::InferenceMode inference;
  auto image = hashed_tensor("image", {1, 3, 256, 256}, expected.seed(), 1.f);
  auto latent = hashed_tensor("latent", {1, 4, 32, 32}, expected.seed(), 2.f);
  auto [mean, logvar] = network->encode(image);
  expected.expect("output.mean", mean);
  expected.expect("output.logvar", logvar);
  auto decoded = network->decode(latent);
  expected.expect("output.decoded_crop_64_64_at_96_96",
                  decoded.narrow(2, 96, 64).narrow(3, 96, 64));
  expected.expect("output.decoded_avgpool8", at::avg_pool2d(decoded, 8));
  expected.expect("output.decoded_channel_mean", decoded.mean({0, 2, 3}));
  expected.expect("output.decoded_channel_std", decoded.std({0, 2, 3}, false));
}

TEST(AutoencoderKLFull, StaysCloseInBfloat16) {
  auto expected = golden_case{goldens() / "vae/full"};
  auto network = AutoencoderKL{autoencoder_config::from_json(expected.config())};
  fill_full_size(*network, expected);
  place(*network, {at::kCPU, at::kBFloat16, true});
  c10::InferenceMode inference;
  auto image = hashed_tensor("image", {1, 3, 256, 256}, expected.seed(), 1.f);
  auto latent = hashed_tensor("latent", {1, 4, 32, 32}, expected.seed(), 2.f);
  auto mean = network->encode(image.to(at::kBFloat16)).mean;
  expected.expect_share("output.mean", mean, 0.02);
  auto decoded = network->decode(latent.to(at::kBFloat16));
  expected.expect_share("output.decoded_crop_64_64_at_96_96",
                        decoded.narrow(2, 96, 64).narrow(3, 96, 64), 0.02);
}
