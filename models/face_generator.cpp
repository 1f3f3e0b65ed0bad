#include "models/face_generator.hpp"

#include "errors/error.hpp"
#include "models/assembled.hpp"
#include "models/avatar_networks.hpp"
#include "models/cuda/batch_runner.hpp"
#include "models/networks/face_images.hpp"

#include <cstring>
#include <utility>

namespace musetalk::models {

namespace {

constexpr int64_t latent_side = face_side / 8;
constexpr int64_t max_tokens = 1024;
/// Two frames of sound before, two after, two tokens each, in five layers.
constexpr int64_t published_tokens = 50;

struct speaking_networks {
  UNet2DConditionModel unet{nullptr};
  AutoencoderKL vae{nullptr};
};

/// Latents `[n, 8, 32, 32]` fp16 and audio `[n, tokens, channels]` fp32 to pictures
/// `[n, 256, 256, 3]` uint8 and to whether all their values were finite, `[n]`. All of it on the
/// device: of a picture, only its bytes cross to the host.
batch_work speaking(speaking_networks networks, const placement& where, int64_t tokens) {
  auto channels = networks.unet->config().cross_attention_dim;
  auto positions = token_positions(tokens, channels).to(where.device);
  auto run = [networks, where, positions](const std::vector<at::Tensor>& in) mutable {
    auto sample = in[0].to(where.dtype).contiguous(at::MemoryFormat::ChannelsLast);
    auto audio = (in[1] + positions).to(where.dtype);
    auto predicted = networks.unet->forward(sample, audio); // [n, 4, 32, 32]
    auto scale = networks.vae->config().scaling_factor;
    auto image = networks.vae->decode(predicted / scale); // [n, 3, 256, 256]
    return std::vector<at::Tensor>{to_pictures(image), image.isfinite().flatten(1).all(1)};
  };
  return {{{{8, latent_side, latent_side}, at::kHalf}, {{tokens, channels}, at::kFloat}},
          {{{face_side, face_side, 3}, at::kByte}, {{}, at::kBool}},
          std::move(run)};
}

class unet_generator final : public face_generator {
public:
  unet_generator(opened_device device, speaking_networks networks, std::string weights_id,
                 const load_timer& timer)
      : device_(std::move(device)), networks_(std::move(networks)) {
    const auto& c = networks_.unet->config();
    if (c.in_channels != 8 || c.out_channels != 4)
      throw error{errc::models_invalid, "the UNet takes " + std::to_string(c.in_channels) +
                                            " channels and makes " +
                                            std::to_string(c.out_channels) + " instead of 8 and 4"};
    expect_tokens(published_tokens);
    report_ =
        timer.finish(device_, parameter_count(*networks_.unet) + parameter_count(*networks_.vae),
                     std::move(weights_id));
  }

  int64_t audio_channels() const override { return networks_.unet->config().cross_attention_dim; }

  std::vector<spoken_face> generate(std::span<const lip_request> requests) override {
    auto result = std::vector<spoken_face>{};
    if (requests.empty())
      return result;
    on_device(device_, [&] {
      expect_tokens(tokens_of(requests));
      result = gather_in_parts(
          *runner_, requests.size(),
          [&](batch_part part) { begin(requests.subspan(part.first, part.count)); },
          [&] { return end(); });
    });
    return result;
  }

  size_t warm_up(size_t max_batch) override {
    auto limit = size_t{0};
    on_device(device_, [&] { limit = runner_->warm_up(max_batch); });
    max_batch_ = max_batch;
    return limit;
  }

  void submit(std::span<const lip_request> requests) override {
    on_device(device_, [&] {
      if (!requests.empty())
        expect_tokens(tokens_of(requests));
      begin(requests);
    });
  }

  std::vector<spoken_face> collect() override {
    auto result = std::vector<spoken_face>{};
    on_device(device_, [&] { result = end(); });
    return result;
  }

  device_report report() const override { return completed(report_, device_, *runner_); }

private:
  int64_t tokens_of(std::span<const lip_request> requests) const {
    auto channels = audio_channels();
    auto per_frame = requests.front().audio.size();
    auto tokens = static_cast<int64_t>(per_frame) / channels;
    if (tokens < 1 || tokens > max_tokens || per_frame % static_cast<size_t>(channels) != 0)
      throw error{errc::internal, "a frame has " + std::to_string(per_frame) +
                                      " audio values, no multiple of " + std::to_string(channels)};
    return tokens;
  }

  /// Makes the runner for frames of so many tokens, if it is not there.
  void expect_tokens(int64_t tokens) {
    if (tokens == tokens_)
      return;
    if (runner_ && runner_->under_way() > 0)
      throw error{errc::internal, "frames of " + std::to_string(tokens_) +
                                      " audio tokens have to be collected before others begin"};
    runner_ = make_batch_runner(device_, speaking(networks_, device_.where, tokens));
    tokens_ = tokens;
    if (max_batch_ > 0)
      runner_->warm_up(max_batch_);
  }

  void begin(std::span<const lip_request> requests) {
    runner_->submit(requests.size(), [&](const std::vector<at::Tensor>& rows) {
      auto values = static_cast<size_t>(tokens_ * audio_channels());
      auto* latent = static_cast<uint16_t*>(rows[0].mutable_data_ptr());
      auto* audio = rows[1].mutable_data_ptr<float>();
      for (const auto& x : requests) {
        if (x.latent.size() != latent_values || x.audio.size() != values)
          throw error{errc::internal, "a frame to be spoken has another size than the rest"};
        std::memcpy(latent, x.latent.data(), x.latent.size_bytes());
        std::memcpy(audio, x.audio.data(), x.audio.size_bytes());
        latent += latent_values;
        audio += values;
      }
    });
  }

  std::vector<spoken_face> end() {
    auto faces = std::vector<spoken_face>{};
    runner_->collect([&](const std::vector<at::Tensor>& rows) {
      auto* finite = rows[1].const_data_ptr<bool>();
      auto* from = rows[0].const_data_ptr<uint8_t>();
      auto count = rows[0].size(0);
      for (int64_t i = 0; i < count; ++i, from += face_bytes) {
        if (!finite[i])
          throw error{errc::device_failed,
                      "the networks answered values that are no finite numbers"};
        faces.emplace_back(from, from + face_bytes);
      }
    });
    return faces;
  }

  opened_device device_;
  speaking_networks networks_;
  int64_t tokens_ = 0;                   ///< Of the frames that `runner_` takes.
  size_t max_batch_ = 0;                 ///< Of the last warm-up.
  std::unique_ptr<batch_runner> runner_; ///< For frames of `tokens_`.
  device_report report_;
};

} // namespace

std::unique_ptr<face_generator> make_face_generator(opened_device device, UNet2DConditionModel unet,
                                                    AutoencoderKL vae, std::string weights_id,
                                                    const load_timer& timer) {
  return std::make_unique<unet_generator>(std::move(device),
                                          speaking_networks{std::move(unet), std::move(vae)},
                                          std::move(weights_id), timer);
}

std::unique_ptr<face_generator> make_face_generator(const load_options& options) {
  auto made = std::unique_ptr<face_generator>{};
  on_device([&] {
    auto timer = load_timer{};
    // The small synthetic networks stay in fp32, so that each machine makes the same of them.
    auto device = open_device(options, options.synthetic ? network_part{} : unet_part);
    auto vae = load_vae(options, device.where);
    auto unet = load_unet(options, device.where);
    made =
        make_face_generator(std::move(device), unet.network, vae.network, unet.weights_id, timer);
  });
  return made;
}

} // namespace musetalk::models
