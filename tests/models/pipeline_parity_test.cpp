#include "models/face_generator.hpp"
#include "models/latent_encoder.hpp"

#include "tests/models/golden.hpp"
#include "tests/models/parity.hpp"

#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <cstring>
#include <unistd.h>

using namespace musetalk::models;
using namespace musetalk::models::testing;
namespace fs = std::filesystem;

namespace {

/// A golden's networks where the published ones would lie. The reader tells formats apart by
/// content, so a safetensors file may carry the name of another.
class ModelsFolder {
public:
  explicit ModelsFolder(const fs::path& golden) {
    link(golden / "vae/config.json", "sd-vae/config.json");
    link(golden / "vae/diffusion_pytorch_model.safetensors",
         "sd-vae/diffusion_pytorch_model.safetensors");
    link(golden / "unet/config.json", "musetalkV15/musetalk.json");
    link(golden / "unet/diffusion_pytorch_model.safetensors", "musetalkV15/unet.pth");
  }

  ~ModelsFolder() { fs::remove_all(path); }

  const fs::path path =
      fs::temp_directory_path() / ("musetalk_models_" + std::to_string(::getpid()));

private:
  void link(const fs::path& from, const std::string& to) {
    fs::create_directories((path / to).parent_path());
    fs::create_symlink(fs::absolute(from), path / to);
  }
};

at::Tensor values(const latent& x) {
  auto t = at::empty({8, 32, 32}, at::kHalf);
  std::memcpy(t.mutable_data_ptr(), x.half_bits.data(), x.half_bits.size() * 2);
  return t.to(at::kFloat);
}

} // namespace

TEST(Pipeline, SpeaksAsUpstreamDoesFromCropsToFaces) {
  auto cases = golden_cases("pipeline");
  ASSERT_FALSE(cases.empty());
  for (const auto& folder : cases) {
    SCOPED_TRACE(folder.filename().string());
    auto expected = golden_case{folder};
    auto models = ModelsFolder{folder};
    auto options =
        load_options{.models_dir = models.path, .device = "cpu", .dtype = precision::float32};
    // Crops to latents. What is stored is fp16, so its rounding comes on top of the tolerance.
    auto crops = expected.tensor("input.crops_bgr").contiguous();
    auto borrowed = std::vector<bgr_crop>{};
    for (int64_t i = 0; i < crops.size(0); ++i)
      borrowed.push_back({{crops[i].const_data_ptr<uint8_t>(), face_bytes}});
    auto latents = make_latent_encoder(options)->encode(borrowed);
    auto wanted = expected.tensor("output.latents");
    for (size_t i = 0; i < latents.size(); ++i)
      EXPECT_TRUE(values(latents[i])
                      .allclose(wanted[static_cast<int64_t>(i)], 0x1p-11,
                                expected.tolerance("output.latents")));
    // Latents and audio to faces.
    auto generator = make_face_generator(options);
    auto audio = expected.tensor("input.audio_tokens").contiguous();
    auto cycle = expected.tensor("intermediate.cycle_indices");
    auto requests = std::vector<lip_request>{};
    for (int64_t i = 0; i < audio.size(0); ++i) {
      // The cycle runs to the end and back.
      auto k = static_cast<size_t>(cycle[i].item<int64_t>());
      auto frame = k < latents.size() ? k : 2 * latents.size() - 1 - k;
      requests.push_back(
          {latents[frame].half_bits,
           {audio[i].const_data_ptr<float>(), static_cast<size_t>(audio[i].numel())}});
    }
    auto faces = generator->generate(requests);
    auto pictures = expected.tensor("output.faces_bgr_uint8");
    ASSERT_EQ(static_cast<int64_t>(faces.size()), pictures.size(0));
    for (size_t i = 0; i < faces.size(); ++i) {
      auto picture = pictures[static_cast<int64_t>(i)].contiguous().flatten();
      auto off = 0, many = 0;
      for (size_t p = 0; p < face_bytes; ++p) {
        auto d = std::abs(int{faces[i][p]} - int{picture.const_data_ptr<uint8_t>()[p]});
        off += d > 0;
        many += d > 1;
      }
      // The rounding of stored latents moves a value next to a boundary by one level, never by two.
      EXPECT_EQ(many, 0);
      EXPECT_LT(off, static_cast<int>(face_bytes / 20));
    }
  }
}
