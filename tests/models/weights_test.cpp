#include "models/weights.hpp"

#include "errors/error.hpp"
#include "tests/models/golden.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <unistd.h>

using namespace musetalk::models;
using namespace musetalk::models::testing;
namespace fs = std::filesystem;

namespace {

/// A folder of weights that is taken away afterwards.
class Weights : public ::testing::Test {
protected:
  Weights() { fs::create_directories(models); }
  ~Weights() override { fs::remove_all(models); }

  void put(const std::string& path, const std::string& bytes) {
    fs::create_directories((models / path).parent_path());
    std::ofstream{models / path, std::ios::binary} << bytes;
  }

  weight_file look(const std::string& path) {
    auto report = inspect_weights(models);
    return *std::find_if(report.files.begin(), report.files.end(),
                         [&](const auto& x) { return x.path == path; });
  }

  fs::path models = fs::temp_directory_path() / ("musetalk_weights_" + std::to_string(::getpid()));
};

constexpr auto vae = "sd-vae/diffusion_pytorch_model.bin";
constexpr auto vae_config = "sd-vae/config.json";

} // namespace

TEST_F(Weights, ListsEveryFileAsMissingInAnEmptyFolder) {
  auto report = inspect_weights(models);
  EXPECT_EQ(report.files.size(), 11u);
  for (const auto& x : report.files) {
    EXPECT_EQ(x.state, weight_state::missing) << x.path;
    EXPECT_FALSE(x.hint.empty()) << x.path;
  }
  EXPECT_FALSE(report.ready_for(weight_need::create));
  EXPECT_EQ(report.problems(weight_need::create).front(), "sd-vae/config.json: missing");
}

TEST_F(Weights, SurvivesAFolderThatIsNotThere) {
  EXPECT_FALSE(inspect_weights("/nonexistent").ready_for(weight_need::create));
}

TEST_F(Weights, AcceptsASmallerMemberOfTheFamily) {
  put(vae, text_of(goldens() / "vae/two_level/diffusion_pytorch_model.bin"));
  put(vae_config, text_of(goldens() / "vae/two_level/config.json"));
  EXPECT_EQ(look(vae).state, weight_state::unknown_size);
  EXPECT_TRUE(inspect_weights(models).ready_for(weight_need::create));
}

TEST_F(Weights, FindsTheSafetensorsTwin) {
  put("sd-vae/diffusion_pytorch_model.safetensors",
      text_of(goldens() / "vae/two_level/diffusion_pytorch_model.safetensors"));
  auto found = look(vae);
  EXPECT_EQ(found.state, weight_state::unknown_size);
  EXPECT_EQ(found.found_path, "sd-vae/diffusion_pytorch_model.safetensors");
}

TEST_F(Weights, TellsMissingTruncatedAndWrongApart) {
  auto good = text_of(goldens() / "vae/two_level/diffusion_pytorch_model.bin");
  put(vae, good.substr(0, good.size() / 2));
  EXPECT_EQ(look(vae).state, weight_state::truncated);
  put(vae, "");
  EXPECT_EQ(look(vae).state, weight_state::truncated);
  put(vae, text_of(goldens() / "containers/zip_state_dict.pth"));
  EXPECT_EQ(look(vae).state, weight_state::wrong);
  put(vae, "just some text");
  EXPECT_EQ(look(vae).state, weight_state::wrong);
  put(vae, text_of(goldens() / "containers/bad_lfs_pointer.pth"));
  EXPECT_EQ(look(vae).state, weight_state::git_lfs_pointer);
  put(vae, text_of(goldens() / "containers/bad_html.pth"));
  EXPECT_EQ(look(vae).state, weight_state::html);
  EXPECT_NE(look(vae).hint.find("web page"), std::string::npos);
}

TEST_F(Weights, TrustsThePublishedSizeWithoutReadingItAll) {
  // A sparse file of the published size that starts as a torch zip does.
  put(vae, "PK\x03\x04");
  fs::resize_file(models / vae, 334'707'217);
  EXPECT_EQ(look(vae).state, weight_state::ok);
}

TEST_F(Weights, ChecksThatAConfigurationIsJson) {
  put(vae_config, "{\"block_out_channels\": [8, 16]}");
  EXPECT_EQ(look(vae_config).state, weight_state::unknown_size);
  put(vae_config, "{\"block_out_channels\": [8,");
  EXPECT_EQ(look(vae_config).state, weight_state::truncated);
}

TEST_F(Weights, HashesAFile) {
  put("abc", "abc");
  EXPECT_EQ(sha256_of_file(models / "abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_THROW(sha256_of_file(models / "absent"), musetalk::error);
}
