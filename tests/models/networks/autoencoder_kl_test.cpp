#include "models/networks/autoencoder_kl.hpp"

#include "errors/error.hpp"
#include "models/networks/recorder.hpp"
#include "tests/models/golden.hpp"
#include "tests/models/parity.hpp"

#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

using namespace musetalk::models;
using namespace musetalk::models::testing;
using musetalk::errc;
using musetalk::error;
namespace fs = std::filesystem;

namespace {

AutoencoderKL load(const fs::path& folder, const std::string& file) {
  auto config = json_value::parse(text_of(folder / "config.json"));
  auto network = AutoencoderKL{autoencoder_config::from_json(config)};
  auto source = checkpoint::open(folder / file);
  load_weights(*network, source, autoencoder_names(), placement{});
  return network;
}

} // namespace

TEST(AutoencoderKL, EqualsDiffusersAtEveryBlock) {
  auto cases = golden_cases("vae");
  ASSERT_FALSE(cases.empty());
  for (const auto& folder : cases) {
    // The same weights once with diffusers' new names of the attention, once with those of the
    // published file.
    for (const auto* file :
         {"diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin"}) {
      SCOPED_TRACE(folder.filename().string() + "/" + file);
      auto expected = golden_case{folder};
      auto network = load(folder, file);
      c10::InferenceMode inference;
      auto record = recorder{*network};
      auto [mean, logvar] = network->encode(expected.tensor("input.image"));
      auto decoded = network->decode(expected.tensor("input.latent"));
      expected.expect("output.mean", mean);
      expected.expect("output.logvar", logvar);
      expected.expect("output.decoded", decoded);
      auto noisy = mean + (0.5 * logvar).exp() * expected.tensor("input.noise");
      expected.expect("output.sample_with_noise", noisy);
      EXPECT_EQ(expected.expect_intermediates(record.values()),
                expected.names("intermediate.").size());
    }
  }
}

TEST(AutoencoderKL, HasTheNamesAndShapesOfTheRealCheckpoint) {
  auto network = AutoencoderKL{autoencoder_config{}};
  EXPECT_EQ(names_and_shapes(*network), real_names_and_shapes("sd_vae_new_names.txt"));
}

TEST(AutoencoderKL, SaysExactlyWhatDoesNotFit) {
  auto folder = goldens() / "vae/four_level";
  auto config = autoencoder_config::from_json(json_value::parse(text_of(folder / "config.json")));
  config.block_out_channels = {8, 8, 16, 32};
  auto network = AutoencoderKL{config};
  auto source = checkpoint::open(folder / "diffusion_pytorch_model.bin");
  try {
    load_weights(*network, source, autoencoder_names(), placement{});
    FAIL() << "other sizes were loaded";
  } catch (const error& e) {
    EXPECT_EQ(e.code(), errc::models_invalid);
    EXPECT_NE(e.detail().find("of another shape"), std::string::npos) << e.detail();
    EXPECT_NE(e.detail().find("[16, 16, 3, 3] instead of [32, 16, 3, 3]"), std::string::npos)
        << e.detail();
    EXPECT_NE(e.detail().find("Get the file from Hugging Face"), std::string::npos) << e.detail();
  }
}

TEST(AutoencoderKL, NamesMissingAndUnexpectedWeights) {
  auto folder = goldens() / "vae/two_level";
  auto config = autoencoder_config::from_json(json_value::parse(text_of(folder / "config.json")));
  config.layers_per_block = 3;
  config.use_quant_conv = false;
  auto network = AutoencoderKL{config};
  auto source = checkpoint::open(folder / "diffusion_pytorch_model.bin");
  try {
    load_weights(*network, source, autoencoder_names(), placement{});
    FAIL() << "another architecture was loaded";
  } catch (const error& e) {
    EXPECT_NE(e.detail().find("missing: decoder.up_blocks.0.resnets.3.conv1.bias"),
              std::string::npos)
        << e.detail();
    EXPECT_NE(e.detail().find("unexpected: quant_conv."), std::string::npos) << e.detail();
  }
}

TEST(AutoencoderKL, RefusesConfigurationsThatNoVaeHas) {
  for (const auto* text :
       {R"({})", R"({"block_out_channels": []})", R"({"block_out_channels": [30]})",
        R"({"block_out_channels": [32], "act_fn": "relu"})",
        R"({"block_out_channels": [1000000000]})", R"({"block_out_channels": "128"})",
        R"({"block_out_channels": [32], "down_block_types": ["AttnDownEncoderBlock2D"]})"}) {
    SCOPED_TRACE(text);
    EXPECT_THROW(autoencoder_config::from_json(json_value::parse(text)), error);
  }
}
