#include "models/networks/whisper.hpp"

#include "models/networks/attention.hpp"
#include "models/networks/config_reader.hpp"
#include "models/networks/recorder.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/fft_rfft.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/reflection_pad1d.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace musetalk::models {

namespace {

constexpr int64_t fft_samples = 400;
constexpr int64_t hop_samples = 160;
constexpr int64_t mel_bins = 80;
constexpr double top_hz = 8000.0;
// Slaney's scale: linear below 1 kHz, logarithmic above.
constexpr double linear_hz = 200.0 / 3.0;
constexpr double knee_hz = 1000.0;
constexpr double knee_mel = 15.0;
const double log_step = std::log(6.4) / 27.0;

double to_hz(double mel) {
  return mel < knee_mel ? mel * linear_hz : knee_hz * std::exp((mel - knee_mel) * log_step);
}

/// Triangular filters, each of area one: `[80, 201]` fp64.
at::Tensor mel_filters() {
  auto bins = fft_samples / 2 + 1;
  auto bank = at::zeros({mel_bins, bins}, at::kDouble);
  auto to = bank.accessor<double, 2>();
  auto top = knee_mel + std::log(top_hz / knee_hz) / log_step;
  auto edge = [&](int64_t i) {
    return to_hz(top * static_cast<double>(i) / (mel_bins + 1));
  };
  for (int64_t m = 0; m < mel_bins; ++m) {
    auto low = edge(m), middle = edge(m + 1), high = edge(m + 2);
    for (int64_t k = 0; k < bins; ++k) {
      auto hz = top_hz * static_cast<double>(k) / static_cast<double>(bins - 1);
      auto slope = std::min((hz - low) / (middle - low), (high - hz) / (high - middle));
      to[m][k] = std::max(0.0, slope) * 2.0 / (high - low);
    }
  }
  return bank;
}

/// Periodic Hann window, `[400]` fp64.
at::Tensor hann_window() {
  auto n = at::arange(fft_samples, at::kDouble);
  return 0.5 - 0.5 * (n * (2.0 * std::numbers::pi / fft_samples)).cos();
}

/// `[80, 3000]` fp64 of one padded segment.
at::Tensor log_mel_of(const at::Tensor& segment) {
  static const auto filters = mel_filters();
  static const auto window = hann_window();
  auto half = fft_samples / 2;
  auto padded = at::reflection_pad1d(segment.unsqueeze(0), {half, half}).squeeze(0);
  auto frames = padded.unfold(0, fft_samples, hop_samples); // [3001, 400]
  frames = frames.narrow(0, 0, segment_samples / hop_samples);
  auto power = at::fft_rfft(frames * window).abs().square();            // [3000, 201]
  auto mel = at::matmul(filters, power.t()).clamp_min_(1e-10).log10_(); // [80, 3000]
  return mel.clamp_min_(mel.max().item<double>() - 8.0).add_(4.0).div_(4.0);
}

} // namespace

at::Tensor log_mel(std::span<const float> samples) {
  auto count = static_cast<int64_t>(samples.size());
  auto segments = std::vector<at::Tensor>{};
  for (int64_t at = 0; at < count; at += segment_samples) {
    auto segment = at::zeros({segment_samples}, at::kDouble);
    auto part = samples.subspan(static_cast<size_t>(at),
                                static_cast<size_t>(std::min(segment_samples, count - at)));
    std::copy(part.begin(), part.end(), segment.mutable_data_ptr<double>());
    segments.push_back(log_mel_of(segment).to(at::kFloat));
  }
  if (segments.empty())
    return at::empty({0, mel_bins, segment_samples / hop_samples}, at::kFloat);
  return at::stack(segments);
}

whisper_config whisper_config::from_json(const json_value& json) {
  auto in = config_reader{json, "config.json of the audio encoder"};
  auto c = whisper_config{};
  c.channels = in.positive("d_model", c.channels);
  c.layers = in.positive("encoder_layers", c.layers, 64);
  c.heads = in.positive("encoder_attention_heads", c.heads, 256);
  c.feed_forward = in.positive("encoder_ffn_dim", c.feed_forward, 4 * config_reader::max_size);
  c.mel_bins = in.positive("num_mel_bins", c.mel_bins, 256);
  c.positions = in.positive("max_source_positions", c.positions);
  if (c.channels % c.heads != 0)
    in.refuse("d_model is no multiple of encoder_attention_heads");
  if (c.mel_bins != 80 || c.positions != 1500)
    in.refuse("only 80 mel bins and 1500 positions are known");
  if (in.flag("scale_embedding", false))
    in.refuse("scale_embedding is not known");
  in.expect("activation_function", "gelu");
  return c;
}

WhisperAttentionImpl::WhisperAttentionImpl(const whisper_config& config)
    : heads_(config.heads), q_proj_(config.channels, config.channels),
      k_proj_(config.channels, config.channels, false), v_proj_(config.channels, config.channels),
      out_proj_(config.channels, config.channels) {
  register_module("q_proj", q_proj_);
  register_module("k_proj", k_proj_);
  register_module("v_proj", v_proj_);
  register_module("out_proj", out_proj_);
}

at::Tensor WhisperAttentionImpl::forward(const at::Tensor& x) {
  auto split = [this](const at::Tensor& t) { // [n, heads, steps, channels / heads]
    return t.unflatten(2, {heads_, -1}).transpose(1, 2);
  };
  auto y = attention(split(q_proj_(x)), split(k_proj_(x)), split(v_proj_(x)));
  return recorded(*this, out_proj_(y.transpose(1, 2).flatten(2)));
}

WhisperLayerImpl::WhisperLayerImpl(const whisper_config& config)
    : self_attn_layer_norm_(config.channels), self_attn_(config),
      final_layer_norm_(config.channels), fc1_(config.channels, config.feed_forward),
      fc2_(config.feed_forward, config.channels) {
  register_module("self_attn_layer_norm", self_attn_layer_norm_);
  register_module("self_attn", self_attn_);
  register_module("final_layer_norm", final_layer_norm_);
  register_module("fc1", fc1_);
  register_module("fc2", fc2_);
}

at::Tensor WhisperLayerImpl::forward(at::Tensor x) {
  x = x + self_attn_(self_attn_layer_norm_(x));
  x = x + fc2_(at::gelu(fc1_(final_layer_norm_(x))));
  // What upstream does against overflow in fp16.
  if (x.scalar_type() == at::kHalf)
    x = x.clamp(-64504.0, 64504.0);
  return recorded(*this, x);
}

WhisperEncoderImpl::WhisperEncoderImpl(const whisper_config& config) : config_(config) {
  conv1_ = register_module("conv1", Conv1d{config.mel_bins, config.channels, 1});
  conv2_ = register_module("conv2", Conv1d{config.channels, config.channels, 2});
  auto table = register_module("embed_positions", std::make_shared<torch::nn::Module>());
  positions_ = table->register_parameter(
      "weight", at::empty({config.positions, config.channels}, at::kFloat), false);
  auto layers = register_module("layers", numbered({}));
  for (int64_t i = 0; i < config.layers; ++i)
    layers_.push_back(layers->register_module(std::to_string(i), WhisperLayer{config}));
  layer_norm_ = register_module("layer_norm", LayerNorm{config.channels});
}

at::Tensor WhisperEncoderImpl::forward(const at::Tensor& mel) {
  auto x = at::gelu(conv1_(mel)); // [n, channels, 3000]
  x = at::gelu(conv2_(x));        // [n, channels, 1500]
  x = x.transpose(1, 2) + positions_;
  auto states = std::vector<at::Tensor>{x};
  for (auto& layer : layers_)
    states.push_back(x = layer(x));
  states.back() = layer_norm_(x);
  return at::stack(states, 2);
}

weight_names whisper_names() {
  auto to_network = [](const std::string& name) -> std::optional<std::string> {
    for (std::string_view prefix : {"model.encoder.", "encoder."})
      if (name.starts_with(prefix))
        return name.substr(prefix.size());
    return std::nullopt;
  };
  return {to_network, "audio encoder", "Hugging Face openai/whisper-tiny"};
}

at::Tensor cut_windows(const at::Tensor& states, const window_plan& plan) {
  auto layers = states.size(2), channels = states.size(3);
  if (plan.frames == 0)
    return at::empty({0, plan.window * layers, channels}, states.options());
  auto real =
      states.flatten(0, 1).narrow(0, 0, std::min(plan.steps, states.size(0) * states.size(1)));
  auto silence = [&](int64_t steps) {
    return at::zeros({steps, layers, channels}, states.options());
  };
  // Enough zeros for the last window, even where upstream would give up.
  auto missing = std::max<int64_t>(0, plan.starts.back() + plan.window -
                                          (plan.zeros_before + plan.steps + plan.zeros_after));
  auto steps = at::cat({silence(plan.zeros_before), real, silence(plan.zeros_after + missing)});
  auto windows = std::vector<at::Tensor>{};
  for (auto start : plan.starts)
    windows.push_back(steps.narrow(0, start, plan.window).flatten(0, 1)); // [50, channels]
  return at::stack(windows);
}

} // namespace musetalk::models
