#include "models/latent_encoder.hpp"

#include "errors/error.hpp"
#include "tests/models/golden.hpp"
#include "tests/models/parity.hpp"

#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <unistd.h>

using namespace musetalk::models;
using namespace musetalk::models::testing;
using musetalk::errc;
using musetalk::error;
namespace fs = std::filesystem;

namespace {

std::unique_ptr<latent_encoder> synthetic() {
  auto options = load_options{};
  options.synthetic = true;
  options.device = "cpu";
  return make_latent_encoder(options);
}

std::vector<uint8_t> crop(uint64_t seed) {
  auto pixels = std::vector<uint8_t>(face_bytes);
  for (size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<uint8_t>(hash_at(seed, i) >> 56);
  return pixels;
}

at::Tensor values(const latent& x) {
  auto t = at::empty({8, 32, 32}, at::kHalf);
  std::memcpy(t.mutable_data_ptr(), x.half_bits.data(), x.half_bits.size() * 2);
  return t.to(at::kFloat);
}

/// A folder `sd-vae` with a golden network.
class VaeFolder : public ::testing::Test {
protected:
  VaeFolder() { fs::create_directories(models / "sd-vae"); }
  ~VaeFolder() override { fs::remove_all(models); }

  void put(const std::string& name, const std::string& bytes) {
    std::ofstream{models / "sd-vae" / name, std::ios::binary} << bytes;
  }

  error refusal() {
    try {
      make_latent_encoder({.models_dir = models, .device = "cpu"});
    } catch (const error& e) {
      return e;
    }
    return error{errc::internal, "loaded"};
  }

  fs::path models = fs::temp_directory_path() / ("musetalk_vae_" + std::to_string(::getpid()));
  fs::path golden = goldens() / "vae/two_level";
};

} // namespace

TEST(LatentEncoder, MakesTheReferenceIndependentOfTheRest) {
  auto encoder = synthetic();
  auto a = crop(1), b = crop(2);
  // The masked half sees only the upper half of the picture.
  auto same_top = a;
  std::copy(b.begin() + face_bytes / 2, b.end(), same_top.begin() + face_bytes / 2);
  auto latents = encoder->encode(std::vector<bgr_crop>{{a}, {b}, {same_top}});
  ASSERT_EQ(latents.size(), 3u);
  auto masked = [&](size_t i) {
    return values(latents[i]).narrow(0, 0, 4);
  };
  auto reference = [&](size_t i) {
    return values(latents[i]).narrow(0, 4, 4);
  };
  EXPECT_TRUE(masked(0).allclose(masked(2), 0, 2e-3));
  EXPECT_FALSE(reference(0).allclose(reference(2), 0, 2e-3));
  EXPECT_FALSE(masked(0).allclose(masked(1), 0, 2e-3));
}

TEST(LatentEncoder, IsTheSameInEveryBatch) {
  auto encoder = synthetic();
  auto a = crop(1), b = crop(2);
  auto together = encoder->encode(std::vector<bgr_crop>{{a}, {b}});
  auto alone = encoder->encode(std::vector<bgr_crop>{{b}});
  EXPECT_TRUE(values(together[1]).allclose(values(alone[0]), 0, 2e-3));
}

TEST(LatentEncoder, SaysThatItsWeightsAreSynthetic) {
  auto report = synthetic()->report();
  EXPECT_TRUE(report.synthetic);
  EXPECT_EQ(report.weights_id, "synthetic");
  EXPECT_EQ(report.device, "cpu");
  EXPECT_GT(report.parameters, 10'000u);
}

TEST(LatentEncoder, AnswersNothingToNothing) {
  EXPECT_TRUE(synthetic()->encode({}).empty());
}

TEST(LatentEncoder, RefusesACropOfAnotherSize) {
  auto encoder = synthetic();
  auto small = std::vector<uint8_t>(10);
  EXPECT_THROW(encoder->encode(std::vector<bgr_crop>{{small}}), error);
}

TEST(LatentEncoder, RefusesDevicesThatAreNotThere) {
  auto options = load_options{};
  options.synthetic = true;
  for (const auto* name : {"cuda:63", "gpu", "cuda:", "cuda:x", "cuda:-1"}) {
    SCOPED_TRACE(name);
    options.device = name;
    EXPECT_THROW(make_latent_encoder(options), error);
  }
}

TEST_F(VaeFolder, SaysWhichFileIsMissing) {
  EXPECT_EQ(refusal().code(), errc::models_missing);
  EXPECT_NE(refusal().detail().find("sd-vae/config.json"), std::string::npos);
  put("config.json", text_of(goldens() / "vae/four_level/config.json"));
  EXPECT_EQ(refusal().code(), errc::models_missing);
  EXPECT_NE(refusal().detail().find("diffusion_pytorch_model.bin"), std::string::npos);
}

TEST_F(VaeFolder, RefusesAVaeOfOtherLatents) {
  put("config.json", text_of(golden / "config.json"));
  put("diffusion_pytorch_model.bin", text_of(golden / "diffusion_pytorch_model.bin"));
  EXPECT_EQ(refusal().code(), errc::models_invalid);
  EXPECT_NE(refusal().detail().find("[4, 32, 32]"), std::string::npos);
}

TEST_F(VaeFolder, LoadsASmallMemberOfTheFamily) {
  golden = goldens() / "vae/four_level";
  put("config.json", text_of(golden / "config.json"));
  put("diffusion_pytorch_model.bin", text_of(golden / "diffusion_pytorch_model.bin"));
  auto encoder = make_latent_encoder({.models_dir = models, .device = "cpu"});
  EXPECT_FALSE(encoder->report().synthetic);
  EXPECT_TRUE(encoder->report().weights_id.starts_with("sd-vae/diffusion_pytorch_model.bin:"));
  auto pixels = crop(3);
  EXPECT_EQ(encoder->encode(std::vector<bgr_crop>{{pixels}}).front().half_bits.size(),
            latent_values);
}
