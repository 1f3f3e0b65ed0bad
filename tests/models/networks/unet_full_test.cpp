#include "models/networks/unet.hpp"

#include "models/networks/recorder.hpp"
#include "tests/models/golden.hpp"
#include "tests/models/parity.hpp"

#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

using namespace musetalk::models;
using namespace musetalk::models::testing;

TEST(UNet2DConditionModelFull, EqualsDiffusersAtFullSize) {
  auto expected = golden_case{goldens() / "unet/full"};
  auto network = UNet2DConditionModel{unet_config::from_json(expected.config())};
  fill_full_size(*network, expected);
  auto record = recorder{*network};
  place(*network, placement{});
  network->fold_time();
  c10::InferenceMode inference;
  auto sample = hashed_tensor("sample", {1, 8, 32, 32}, expected.seed(), 2.f);
  auto audio = hashed_tensor("encoder_hidden_states", {1, 50, 384}, expected.seed(), 2.f);
  expected.expect("output.sample", network->forward(sample, audio));
  // Every 64th channel, every 4th row and column of some blocks, to tell where a difference starts.
  auto count = 0;
  for (const auto& [name, value] : record.values()) {
    auto strided = "intermediate." + name + ".strided";
    if (!expected.has(strided))
      continue;
    auto part = value.slice(1, 0, std::nullopt, 64);
    expected.expect(strided, part.dim() == 2
                                 ? part
                                 : part.slice(2, 0, std::nullopt, 4).slice(3, 0, std::nullopt, 4));
    ++count;
  }
  EXPECT_EQ(count, 7);
}

TEST(UNet2DConditionModelFull, StaysCloseInBfloat16) {
  auto expected = golden_case{goldens() / "unet/full"};
  auto network = UNet2DConditionModel{unet_config::from_json(expected.config())};
  fill_full_size(*network, expected);
  place(*network, {at::kCPU, at::kBFloat16, true});
  network->fold_time();
  c10::InferenceMode inference;
  auto sample = hashed_tensor("sample", {1, 8, 32, 32}, expected.seed(), 2.f);
  auto audio = hashed_tensor("encoder_hidden_states", {1, 50, 384}, expected.seed(), 2.f);
  auto predicted = network->forward(sample.to(at::kBFloat16), audio.to(at::kBFloat16));
  expected.expect_share("output.sample", predicted, 0.02);
}
