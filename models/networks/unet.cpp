#include "models/networks/unet.hpp"

#include "models/networks/config_reader.hpp"
#include "models/networks/hash_fill.hpp"
#include "models/networks/recorder.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <cmath>

namespace musetalk::models {

namespace {

constexpr double transformer_eps = 1e-6;
constexpr int64_t max_layers = 16;
constexpr int64_t time_expansion = 4;
constexpr double max_period = 10000.0;

int64_t time_channels(const unet_config& config) {
  return time_expansion * config.block_out_channels.front();
}

/// Sinusoids of time step 0, `[1, channels]`: sines are 0 and cosines 1, whatever the frequencies
/// are.
at::Tensor time_zero(const unet_config& config) {
  auto channels = config.block_out_channels.front();
  auto x = at::zeros({1, channels}, at::kFloat);
  x.narrow(1, config.flip_sin_to_cos ? 0 : channels / 2, channels / 2).fill_(1.0);
  return x;
}

at::Tensor linear_fp32(const Linear& layer, const at::Tensor& x) {
  return at::linear(x, layer->weight.to(at::kFloat), layer->bias.to(at::kFloat));
}

void drop(Linear& layer) {
  for (auto* x : {&layer->weight, &layer->bias})
    x->set_data(at::empty({0}, x->options()));
}

std::vector<bool> attention_of(const config_reader& in, std::string_view key,
                               std::string_view plain, std::string_view attentive, size_t levels) {
  auto list = std::vector<bool>{};
  for (const auto& x : in.texts(key)) {
    if (x != plain && x != attentive)
      in.refuse("the unknown block " + x);
    list.push_back(x == attentive);
  }
  if (list.size() != levels)
    in.refuse(std::string{key} + " has " + std::to_string(list.size()) + " entries for " +
              std::to_string(levels) + " levels");
  return list;
}

} // namespace

unet_config unet_config::from_json(const json_value& json) {
  auto in = config_reader{json, "the configuration of the UNet"};
  auto c = unet_config{};
  c.in_channels = in.positive("in_channels", 4);
  c.out_channels = in.positive("out_channels", 4);
  c.layers_per_block = in.positive("layers_per_block", 2, max_layers);
  c.cross_attention_dim = in.positive("cross_attention_dim", 1280);
  c.heads = in.positive("attention_head_dim", 8, 256);
  c.norm_num_groups = in.positive("norm_num_groups", 32);
  c.norm_eps = in.number("norm_eps", 1e-5);
  c.flip_sin_to_cos = in.flag("flip_sin_to_cos", true);
  c.block_out_channels = in.channels("block_out_channels", c.norm_num_groups);
  auto levels = c.block_out_channels.size();
  c.down_attention =
      attention_of(in, "down_block_types", "DownBlock2D", "CrossAttnDownBlock2D", levels);
  c.up_attention = attention_of(in, "up_block_types", "UpBlock2D", "CrossAttnUpBlock2D", levels);
  for (auto n : c.block_out_channels)
    if (n % c.heads != 0)
      in.refuse(std::to_string(n) + " channels are no multiple of " + std::to_string(c.heads) +
                " attention heads");
  if (in.flag("use_linear_projection", false) || in.flag("center_input_sample", false))
    in.refuse("use_linear_projection and center_input_sample are not known");
  in.expect("act_fn", "silu");
  return c;
}

// -- blocks --------------------------------------------------------------------

UnetResnetBlockImpl::UnetResnetBlockImpl(const unet_config& config, int64_t in, int64_t out)
    : norm1_(config.norm_num_groups, in, config.norm_eps), conv1_(in, out),
      time_emb_proj_(time_channels(config), out),
      norm2_(config.norm_num_groups, out, config.norm_eps), conv2_(out, out) {
  register_module("norm1", norm1_);
  register_module("conv1", conv1_);
  register_module("time_emb_proj", time_emb_proj_);
  register_module("norm2", norm2_);
  register_module("conv2", conv2_);
  if (in != out)
    conv_shortcut_ = register_module("conv_shortcut", Conv2d{in, out, pointwise()});
}

void UnetResnetBlockImpl::fold_time(const at::Tensor& activated_time) {
  auto shift = linear_fp32(time_emb_proj_, activated_time.to(time_emb_proj_->weight.device()));
  conv1_->bias.copy_(conv1_->bias.to(at::kFloat) + shift.squeeze(0));
  drop(time_emb_proj_);
}

at::Tensor UnetResnetBlockImpl::forward(const at::Tensor& x) {
  auto h = conv1_(norm1_(x, activation::silu)); // [n, out, h, w]
  auto skip = conv_shortcut_ ? conv_shortcut_(x) : x;
  return recorded(*this, conv2_->forward_plus(norm2_(h, activation::silu), skip));
}

UnetAttentionImpl::UnetAttentionImpl(int64_t channels, int64_t context_channels, int64_t heads)
    : heads_(heads), to_q_(channels, channels, false), to_k_(context_channels, channels, false),
      to_v_(context_channels, channels, false), to_out_(channels, channels) {
  register_module("to_q", to_q_);
  register_module("to_k", to_k_);
  register_module("to_v", to_v_);
  register_module("to_out", numbered({to_out_.ptr()}));
}

at::Tensor UnetAttentionImpl::forward(const at::Tensor& x, const at::Tensor& context) {
  auto split = [this](const at::Tensor& t) { // [n, heads, tokens, channels / heads]
    return t.unflatten(2, {heads_, -1}).transpose(1, 2);
  };
  auto y = at::scaled_dot_product_attention(split(to_q_(x)), split(to_k_(context)),
                                            split(to_v_(context)));
  return recorded(*this, to_out_(y.transpose(1, 2).flatten(2)));
}

UnetFeedForwardImpl::UnetFeedForwardImpl(int64_t channels)
    : proj_(channels, 8 * channels), out_(4 * channels, channels) {
  auto gate = std::make_shared<torch::nn::Module>();
  gate->register_module("proj", proj_);
  // Entry 1 of the checkpoint's list is a dropout, which has no weights.
  auto net = std::make_shared<torch::nn::Module>();
  net->register_module("0", gate);
  net->register_module("2", out_);
  register_module("net", net);
}

at::Tensor UnetFeedForwardImpl::forward(const at::Tensor& x) {
  auto parts = proj_(x).chunk(2, -1); // each [n, tokens, 4 channels]: value, gate
  return recorded(*this, out_(parts[0] * at::gelu(parts[1])));
}

UnetTransformerImpl::UnetTransformerImpl(const unet_config& config, int64_t channels)
    : norm_(config.norm_num_groups, channels, transformer_eps),
      proj_in_(channels, channels, pointwise()), norm1_(channels),
      attn1_(channels, channels, config.heads), norm2_(channels),
      attn2_(channels, config.cross_attention_dim, config.heads), norm3_(channels), ff_(channels),
      proj_out_(channels, channels, pointwise()) {
  register_module("norm", norm_);
  register_module("proj_in", proj_in_);
  auto block = std::make_shared<torch::nn::Module>();
  block->register_module("norm1", norm1_);
  block->register_module("attn1", attn1_);
  block->register_module("norm2", norm2_);
  block->register_module("attn2", attn2_);
  block->register_module("norm3", norm3_);
  block->register_module("ff", ff_);
  register_module("transformer_blocks", numbered({block}));
  register_module("proj_out", proj_out_);
}

at::Tensor UnetTransformerImpl::forward(const at::Tensor& x, const at::Tensor& audio) {
  auto h = x.size(2), w = x.size(3);
  auto tokens = norm_(x).permute({0, 2, 3, 1}).flatten(1, 2); // [n, hw, c]
  tokens = proj_in_->on_tokens(tokens);
  auto y = norm1_(tokens);
  tokens.add_(attn1_(y, y));
  tokens.add_(attn2_(norm2_(tokens), audio));
  tokens.add_(ff_(norm3_(tokens)));
  y = proj_out_->on_tokens(tokens).unflatten(1, {h, w}).permute({0, 3, 1, 2}); // [n, c, h, w]
  return recorded(*this, y + x);
}

// -- levels --------------------------------------------------------------------

UnetDownLevelImpl::UnetDownLevelImpl(const unet_config& config, int64_t in, int64_t out,
                                     bool attention, bool halve) {
  auto resnets = register_module("resnets", numbered({}));
  auto attentions = attention ? register_module("attentions", numbered({})) : nullptr;
  for (int64_t i = 0; i < config.layers_per_block; ++i) {
    auto name = std::to_string(i);
    resnets_.push_back(
        resnets->register_module(name, UnetResnetBlock{config, i == 0 ? in : out, out}));
    if (attention)
      attentions_.push_back(attentions->register_module(name, UnetTransformer{config, out}));
  }
  if (!halve)
    return;
  downsampler_ = Conv2d{out, out, conv_options{3, 2, 1}};
  auto sampler = std::make_shared<torch::nn::Module>();
  sampler->register_module("conv", downsampler_);
  register_module("downsamplers", numbered({sampler}));
}

at::Tensor UnetDownLevelImpl::forward(at::Tensor x, const at::Tensor& audio,
                                      std::vector<at::Tensor>& skips) {
  for (size_t i = 0; i < resnets_.size(); ++i) {
    x = resnets_[i](x);
    if (!attentions_.empty())
      x = attentions_[i](x, audio);
    skips.push_back(x);
  }
  if (downsampler_) {
    x = downsampler_(x);
    skips.push_back(x);
  }
  return recorded(*this, x);
}

UnetUpLevelImpl::UnetUpLevelImpl(const unet_config& config, int64_t in, int64_t out,
                                 const std::vector<int64_t>& skip_channels, bool attention,
                                 bool twice) {
  auto resnets = register_module("resnets", numbered({}));
  auto attentions = attention ? register_module("attentions", numbered({})) : nullptr;
  for (size_t i = 0; i < skip_channels.size(); ++i) {
    auto name = std::to_string(i);
    resnets_.push_back(resnets->register_module(
        name, UnetResnetBlock{config, (i == 0 ? in : out) + skip_channels[i], out}));
    if (attention)
      attentions_.push_back(attentions->register_module(name, UnetTransformer{config, out}));
  }
  if (!twice)
    return;
  upsampler_ = Conv2d{out, out};
  auto sampler = std::make_shared<torch::nn::Module>();
  sampler->register_module("conv", upsampler_);
  register_module("upsamplers", numbered({sampler}));
}

at::Tensor UnetUpLevelImpl::forward(at::Tensor x, const at::Tensor& audio,
                                    std::vector<at::Tensor>& skips) {
  for (size_t i = 0; i < resnets_.size(); ++i) {
    x = resnets_[i](at::cat({x, skips.back()}, 1));
    skips.pop_back();
    if (!attentions_.empty())
      x = attentions_[i](x, audio);
  }
  if (upsampler_)
    x = upsampler_->forward_doubled(x);
  return recorded(*this, x);
}

UnetMidLevelImpl::UnetMidLevelImpl(const unet_config& config, int64_t channels)
    : before_(config, channels, channels), attention_(config, channels),
      after_(config, channels, channels) {
  register_module("resnets", numbered({before_.ptr(), after_.ptr()}));
  register_module("attentions", numbered({attention_.ptr()}));
}

at::Tensor UnetMidLevelImpl::forward(at::Tensor x, const at::Tensor& audio) {
  return recorded(*this, after_(attention_(before_(x), audio)));
}

// -- the whole -----------------------------------------------------------------

UNet2DConditionModelImpl::UNet2DConditionModelImpl(const unet_config& config) : config_(config) {
  const auto& channels = config.block_out_channels;
  auto levels = channels.size();
  conv_in_ = register_module("conv_in", Conv2d{config.in_channels, channels.front()});
  time_linear_1_ = Linear{channels.front(), time_channels(config)};
  time_linear_2_ = Linear{time_channels(config), time_channels(config)};
  auto time = register_module("time_embedding", std::make_shared<torch::nn::Module>());
  time->register_module("linear_1", time_linear_1_);
  time->register_module("linear_2", time_linear_2_);
  // Channels of what is kept on the way down, in order.
  auto kept = std::vector<int64_t>{channels.front()};
  auto downs = register_module("down_blocks", numbered({}));
  for (size_t i = 0; i < levels; ++i) {
    auto halve = i + 1 < levels;
    down_.push_back(downs->register_module(
        std::to_string(i), UnetDownLevel{config, channels[i > 0 ? i - 1 : 0], channels[i],
                                         config.down_attention[i], halve}));
    kept.insert(kept.end(), static_cast<size_t>(config.layers_per_block) + (halve ? 1 : 0),
                channels[i]);
  }
  mid_ = register_module("mid_block", UnetMidLevel{config, channels.back()});
  auto ups = register_module("up_blocks", numbered({}));
  for (size_t i = 0; i < levels; ++i) {
    auto skips = std::vector<int64_t>{};
    for (int64_t k = 0; k <= config.layers_per_block; ++k) {
      skips.push_back(kept.back());
      kept.pop_back();
    }
    auto in = channels[i > 0 ? levels - i : levels - 1], out = channels[levels - 1 - i];
    up_.push_back(ups->register_module(
        std::to_string(i),
        UnetUpLevel{config, in, out, skips, config.up_attention[i], i + 1 < levels}));
  }
  conv_norm_out_ = register_module(
      "conv_norm_out", GroupNorm{config.norm_num_groups, channels.front(), config.norm_eps});
  conv_out_ = register_module("conv_out", Conv2d{channels.front(), config.out_channels});
}

void UNet2DConditionModelImpl::fold_time() {
  c10::NoGradGuard no_grad;
  auto x = time_zero(config_).to(time_linear_1_->weight.device());
  x = linear_fp32(time_linear_2_, at::silu(linear_fp32(time_linear_1_, x))); // [1, time channels]
  recorded(*named_modules()["time_embedding"], x);
  x = at::silu(x);
  for (const auto& module : modules())
    if (auto* block = module->as<UnetResnetBlockImpl>())
      block->fold_time(x);
  drop(time_linear_1_);
  drop(time_linear_2_);
}

at::Tensor UNet2DConditionModelImpl::forward(const at::Tensor& sample, const at::Tensor& audio) {
  auto x = conv_in_(sample); // [n, c0, h, w]
  auto skips = std::vector<at::Tensor>{x};
  for (auto& level : down_)
    x = level(x, audio, skips);
  x = mid_(x, audio); // [n, c3, h / 8, w / 8]
  for (auto& level : up_)
    x = level(x, audio, skips);
  return conv_out_(conv_norm_out_(x, activation::silu));
}

std::function<at::Tensor()> unet_part(at::ScalarType type) {
  constexpr int64_t channels = 640, side = 16, tokens = 50;
  auto config = unet_config{};
  auto where = placement{at::kCPU, type, true};
  auto resnet = UnetResnetBlock{config, channels, channels};
  auto transformer = UnetTransformer{config, channels};
  auto input = [&](const char* name, std::vector<int64_t> shape) {
    auto values = hashed_input(name, static_cast<size_t>(c10::multiply_integers(shape)), 1, 1.f);
    return at::from_blob(values.data(), shape, at::kFloat).to(type, false, true);
  };
  auto x = input("x", {1, channels, side, side});
  auto audio = input("audio", {1, tokens, config.cross_attention_dim});
  c10::NoGradGuard no_grad;
  hash_fill(*resnet, 1, 1.0);
  hash_fill(*transformer, 1, 1.0);
  place(*resnet, where);
  place(*transformer, where);
  return [=]() mutable {
    return transformer(resnet(x), audio);
  };
}

weight_names unet_names() {
  return {{}, "UNet", "Hugging Face TMElyralab/MuseTalk"};
}

at::Tensor token_positions(int64_t tokens, int64_t channels) {
  auto position = at::arange(tokens, at::kFloat).unsqueeze(1); // [tokens, 1]
  auto step = -std::log(max_period) / static_cast<double>(channels);
  auto frequency = (at::arange(0, channels, 2, at::kFloat) * step).exp(); // [channels / 2]
  auto angle = position * frequency;
  return at::stack({angle.sin(), angle.cos()}, 2).flatten(1);
}

} // namespace musetalk::models
