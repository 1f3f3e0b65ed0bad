#include "models/networks/unet.hpp"

#include "errors/error.hpp"
#include "models/networks/recorder.hpp"
#include "tests/models/golden.hpp"
#include "tests/models/parity.hpp"

#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

using namespace musetalk::models;
using namespace musetalk::models::testing;
using musetalk::error;

TEST(UNet2DConditionModel, EqualsDiffusersAtEveryBlock) {
  auto cases = golden_cases("unet");
  ASSERT_FALSE(cases.empty());
  for (const auto& folder : cases) {
    for (const auto* file : {"unet.pth", "diffusion_pytorch_model.safetensors"}) {
      SCOPED_TRACE(folder.filename().string() + "/" + file);
      auto expected = golden_case{folder};
      auto config = unet_config::from_json(json_value::parse(text_of(folder / "config.json")));
      auto network = UNet2DConditionModel{config};
      auto source = checkpoint::open(folder / file);
      load_weights(*network, source, unet_names(), placement{});
      auto record = recorder{*network};
      network->fold_time();
      c10::InferenceMode inference;
      auto audio = expected.tensor("input.encoder_hidden_states");
      expected.expect("output.sample", network->forward(expected.tensor("input.sample"), audio));
      // The embedding of time is computed once for all, in the golden for each of the batch.
      auto values = record.values();
      auto& time = values.at("time_embedding");
      time = time.expand({audio.size(0), -1});
      // All but `time_proj`, which has become a constant.
      EXPECT_EQ(expected.expect_intermediates(values), expected.names("intermediate.").size() - 1);
    }
  }
}

TEST(UNet2DConditionModel, HasTheNamesAndShapesOfTheRealCheckpoint) {
  auto network = UNet2DConditionModel{unet_config{}};
  EXPECT_EQ(parameter_count(*network), 849'947'844u);
  EXPECT_EQ(names_and_shapes(*network), real_names_and_shapes("unet_v15.txt"));
}

TEST(UNet2DConditionModel, RefusesConfigurationsThatItDoesNotKnow) {
  for (
      const auto* text :
      {R"({"block_out_channels": [32], "down_block_types": [], "up_block_types": []})",
       R"({"block_out_channels": [32], "down_block_types": ["AttnDownBlock2D"], "up_block_types": ["UpBlock2D"]})",
       R"({"block_out_channels": [32], "down_block_types": ["DownBlock2D"], "up_block_types": ["UpBlock2D"],
            "use_linear_projection": true})",
       R"({"block_out_channels": [96], "down_block_types": ["DownBlock2D"], "up_block_types": ["UpBlock2D"],
            "attention_head_dim": 7})"}) {
    SCOPED_TRACE(text);
    EXPECT_THROW(unet_config::from_json(json_value::parse(text)), error);
  }
}

TEST(TokenPositions, StartWithSineZeroAndCosineOne) {
  auto table = token_positions(50, 384);
  EXPECT_EQ(table.sizes(), (at::IntArrayRef{50, 384}));
  EXPECT_EQ(table[0][0].item<float>(), 0.f);
  EXPECT_EQ(table[0][1].item<float>(), 1.f);
  EXPECT_NEAR(table[3][0].item<float>(), std::sin(3.f), 1e-6);
}
