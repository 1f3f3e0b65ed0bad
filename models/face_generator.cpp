#include "models/face_generator.hpp"

#include "errors/error.hpp"
#include "models/loading.hpp"
#include "models/networks/face_images.hpp"
#include "models/networks/unet.hpp"
#include "models/vae_loading.hpp"

#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>

#include <cstring>

namespace musetalk::models {

namespace {

constexpr int64_t latent_side = face_side / 8;
constexpr int64_t max_tokens = 1024;

unet_config synthetic_config() {
  auto c = unet_config{};
  c.block_out_channels = {32, 32, 64, 64};
  c.norm_num_groups = 8;
  c.layers_per_block = 1;
  c.cross_attention_dim = 32;
  c.heads = 4;
  return c;
}

class unet_generator final : public face_generator {
public:
  explicit unet_generator(const load_options& options) {
    auto timer = load_timer{};
    device_ = open_device(options);
    auto vae = load_vae(options, device_.where);
    vae_ = vae.network;
    auto id = load_unet(options);
    unet_->fold_time();
    const auto& c = unet_->config();
    if (c.in_channels != 8 || c.out_channels != 4)
      throw error{errc::models_invalid, "the UNet takes " + std::to_string(c.in_channels) +
                                            " channels and makes " +
                                            std::to_string(c.out_channels) + " instead of 8 and 4"};
    report_ = timer.finish(device_, parameter_count(*unet_) + parameter_count(*vae_), id);
  }

  int64_t audio_channels() const override { return unet_->config().cross_attention_dim; }

  std::vector<spoken_face> generate(std::span<const lip_request> requests) override {
    if (requests.empty())
      return {};
    auto [latents, audio] = gather(requests);
    auto faces = std::vector<spoken_face>{};
    on_device([&] {
      c10::InferenceMode inference;
      auto sample = latents.to(device_.where.device, device_.where.dtype)
                        .contiguous(at::MemoryFormat::ChannelsLast);
      auto tokens = audio + token_positions(audio.size(1), audio.size(2));
      auto predicted = unet_->forward(sample, tokens.to(device_.where.device, device_.where.dtype));
      auto image = vae_->decode(predicted / vae_->config().scaling_factor); // [n, 3, 256, 256]
      if (!image.isfinite().all().item<bool>())
        throw error{errc::device_failed, "the networks answered values that are no finite numbers"};
      faces = split(to_pictures(image).to(at::kCPU));
    });
    return faces;
  }

  device_report report() const override { return report_; }

private:
  std::string load_unet(const load_options& options) {
    if (options.synthetic) {
      unet_ = UNet2DConditionModel{synthetic_config()};
      make_synthetic(*unet_, device_.where, 1.0);
      return "synthetic";
    }
    auto names = unet_names();
    auto json = read_config(options.models_dir, "musetalkV15/musetalk.json", names.source);
    auto weights = open_weights(options.models_dir, {"musetalkV15/unet.pth"}, names.source);
    unet_ = UNet2DConditionModel{unet_config::from_json(json)};
    load_weights(*unet_, weights.file, names, device_.where);
    return weights.id;
  }

  struct batch {
    at::Tensor latents; ///< `[n, 8, 32, 32]` fp16.
    at::Tensor audio;   ///< `[n, tokens, channels]` fp32.
  };

  batch gather(std::span<const lip_request> requests) const {
    auto n = static_cast<int64_t>(requests.size());
    auto channels = audio_channels();
    auto per_frame = requests.front().audio.size();
    auto tokens = static_cast<int64_t>(per_frame) / channels;
    if (tokens < 1 || tokens > max_tokens || per_frame % static_cast<size_t>(channels) != 0)
      throw error{errc::internal, "a frame has " + std::to_string(per_frame) +
                                      " audio values, no multiple of " + std::to_string(channels)};
    auto result = batch{at::empty({n, 8, latent_side, latent_side}, at::kHalf),
                        at::empty({n, tokens, channels}, at::kFloat)};
    auto* latent = static_cast<uint16_t*>(result.latents.mutable_data_ptr());
    auto* audio = result.audio.mutable_data_ptr<float>();
    for (const auto& x : requests) {
      if (x.latent.size() != latent_values || x.audio.size() != per_frame)
        throw error{errc::internal, "a frame to be spoken has another size than the rest"};
      std::memcpy(latent, x.latent.data(), x.latent.size_bytes());
      std::memcpy(audio, x.audio.data(), x.audio.size_bytes());
      latent += x.latent.size();
      audio += x.audio.size();
    }
    return result;
  }

  static std::vector<spoken_face> split(const at::Tensor& pictures) {
    auto faces = std::vector<spoken_face>{};
    auto* from = pictures.const_data_ptr<uint8_t>();
    for (int64_t i = 0; i < pictures.size(0); ++i, from += face_bytes)
      faces.emplace_back(from, from + face_bytes);
    return faces;
  }

  opened_device device_;
  AutoencoderKL vae_{nullptr};
  UNet2DConditionModel unet_{nullptr};
  device_report report_;
};

} // namespace

std::unique_ptr<face_generator> make_face_generator(const load_options& options) {
  auto made = std::unique_ptr<face_generator>{};
  on_device([&] { made = std::make_unique<unet_generator>(options); });
  return made;
}

} // namespace musetalk::models
