#include "models/audio_encoder.hpp"

#include "errors/error.hpp"
#include "models/loading.hpp"
#include "models/networks/whisper.hpp"

#include <ATen/ops/cat.h>
#include <c10/core/InferenceMode.h>

namespace musetalk::models {

namespace {

whisper_config synthetic_config() {
  auto c = whisper_config{};
  c.channels = 32;
  c.heads = 4;
  c.feed_forward = 64;
  return c;
}

class whisper_audio_encoder final : public audio_encoder {
public:
  explicit whisper_audio_encoder(const load_options& options) {
    auto timer = load_timer{};
    device_ = open_device(options);
    auto id = load(options);
    report_ = timer.finish(device_, parameter_count(*network_), id);
  }

  audio_features encode(std::span<const float> samples, int64_t fps, int64_t left,
                        int64_t right) override {
    auto plan = plan_windows(static_cast<int64_t>(samples.size()), fps, left, right);
    auto features = audio_features{};
    features.frames = plan.frames;
    features.tokens = plan.window * (network_->config().layers + 1);
    features.channels = network_->config().channels;
    if (plan.frames == 0)
      return features;
    on_device(device_, [&] {
      c10::InferenceMode inference;
      auto states = std::vector<at::Tensor>{};
      // Segment by segment: memory does not grow with the clip but for its features.
      for (const auto& mel : log_mel(samples).split(1))
        states.push_back(network_->forward(mel.to(device_.where.device, device_.where.dtype))
                             .to(at::kCPU, at::kFloat));
      auto windows = cut_windows(at::cat(states), plan).contiguous();
      auto* from = windows.const_data_ptr<float>();
      features.values.assign(from, from + windows.numel());
    });
    return features;
  }

  audio_states listen(std::span<const float> samples) override {
    if (samples.empty() || static_cast<int64_t>(samples.size()) > segment_samples)
      throw error{errc::internal, "a segment of sound has " + std::to_string(samples.size()) +
                                      " samples; the network takes 1 to " +
                                      std::to_string(segment_samples)};
    auto result = audio_states{};
    on_device(device_, [&] {
      c10::InferenceMode inference;
      auto mel = log_mel(samples).to(device_.where.device, device_.where.dtype);
      auto states = network_->forward(mel).to(at::kCPU, at::kFloat)[0].contiguous();
      result.steps = states.size(0);
      result.layers = states.size(1);
      result.channels = states.size(2);
      auto* from = states.const_data_ptr<float>();
      result.values.assign(from, from + states.numel());
    });
    return result;
  }

  device_report report() const override { return report_; }

private:
  std::string load(const load_options& options) {
    if (options.synthetic) {
      network_ = WhisperEncoder{synthetic_config()};
      make_synthetic(*network_, device_.where, 1.0);
      return "synthetic";
    }
    auto names = whisper_names();
    auto json = read_config(options.models_dir, "whisper/config.json", names.source);
    auto weights =
        open_weights(options.models_dir, {"whisper/pytorch_model.bin", "whisper/model.safetensors"},
                     names.source);
    network_ = WhisperEncoder{whisper_config::from_json(json)};
    load_weights(*network_, weights.file, names, device_.where);
    return weights.id;
  }

  opened_device device_;
  WhisperEncoder network_{nullptr};
  device_report report_;
};

} // namespace

std::unique_ptr<audio_encoder> make_audio_encoder(const load_options& options) {
  auto made = std::unique_ptr<audio_encoder>{};
  on_device([&] { made = std::make_unique<whisper_audio_encoder>(options); });
  return made;
}

} // namespace musetalk::models
