#include "models/networks/autoencoder_kl.hpp"

#include "models/networks/config_reader.hpp"
#include "models/networks/recorder.hpp"

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/scaled_dot_product_attention.h>

namespace musetalk::models {

namespace {

constexpr double eps = 1e-6;
constexpr int64_t max_layers = 16;

} // namespace

autoencoder_config autoencoder_config::from_json(const json_value& json) {
  auto in = config_reader{json, "config.json of the VAE"};
  auto c = autoencoder_config{};
  c.in_channels = in.positive("in_channels", 3);
  c.out_channels = in.positive("out_channels", 3);
  c.latent_channels = in.positive("latent_channels", 4);
  c.layers_per_block = in.positive("layers_per_block", 1, max_layers);
  c.norm_num_groups = in.positive("norm_num_groups", 32);
  c.block_out_channels = in.channels("block_out_channels", c.norm_num_groups);
  c.scaling_factor = in.number("scaling_factor", c.scaling_factor);
  c.mid_block_add_attention = in.flag("mid_block_add_attention", true);
  c.use_quant_conv = in.flag("use_quant_conv", true);
  c.use_post_quant_conv = in.flag("use_post_quant_conv", true);
  in.expect("act_fn", "silu");
  for (const auto& x : in.texts("down_block_types"))
    if (x != "DownEncoderBlock2D")
      in.refuse("the unknown block " + x);
  for (const auto& x : in.texts("up_block_types"))
    if (x != "UpDecoderBlock2D")
      in.refuse("the unknown block " + x);
  return c;
}

// -- blocks --------------------------------------------------------------------

VaeResnetBlockImpl::VaeResnetBlockImpl(int64_t in, int64_t out, int64_t groups)
    : norm1_(groups, in, eps), conv1_(in, out), norm2_(groups, out, eps), conv2_(out, out) {
  register_module("norm1", norm1_);
  register_module("conv1", conv1_);
  register_module("norm2", norm2_);
  register_module("conv2", conv2_);
  if (in != out)
    conv_shortcut_ = register_module("conv_shortcut", Conv2d{in, out, pointwise()});
}

at::Tensor VaeResnetBlockImpl::forward(const at::Tensor& x) {
  auto h = conv1_(norm1_(x, activation::silu)); // [n, out, h, w]
  auto skip = conv_shortcut_ ? conv_shortcut_(x) : x;
  return recorded(*this, conv2_->forward_plus(norm2_(h, activation::silu), skip));
}

VaeAttentionImpl::VaeAttentionImpl(int64_t channels, int64_t groups)
    : group_norm_(groups, channels, eps), to_q_(channels, channels), to_k_(channels, channels),
      to_v_(channels, channels), to_out_(channels, channels) {
  register_module("group_norm", group_norm_);
  register_module("to_q", to_q_);
  register_module("to_k", to_k_);
  register_module("to_v", to_v_);
  register_module("to_out", numbered({to_out_.ptr()}));
}

at::Tensor VaeAttentionImpl::forward(const at::Tensor& x) {
  auto n = x.size(0), c = x.size(1), h = x.size(2), w = x.size(3);
  auto tokens = group_norm_(x).permute({0, 2, 3, 1}).reshape({n, 1, h * w, c}); // [n, 1, hw, c]
  auto y = at::scaled_dot_product_attention(to_q_(tokens), to_k_(tokens), to_v_(tokens));
  y = to_out_(y).reshape({n, h, w, c}).permute({0, 3, 1, 2}); // [n, c, h, w]
  return recorded(*this, x + y);
}

VaeMidBlockImpl::VaeMidBlockImpl(int64_t channels, int64_t groups, bool attention)
    : before_(channels, channels, groups), after_(channels, channels, groups) {
  register_module("resnets", numbered({before_.ptr(), after_.ptr()}));
  if (attention) {
    attention_ = VaeAttention{channels, groups};
    register_module("attentions", numbered({attention_.ptr()}));
  }
}

at::Tensor VaeMidBlockImpl::forward(at::Tensor x) {
  x = before_(x);
  if (attention_)
    x = attention_(x);
  return recorded(*this, after_(x));
}

VaeLevelImpl::VaeLevelImpl(int64_t in, int64_t out, int64_t layers, int64_t groups, resize how)
    : how_(how) {
  auto resnets = register_module("resnets", std::make_shared<torch::nn::Module>());
  for (int64_t i = 0; i < layers; ++i)
    resnets_.push_back(resnets->register_module(std::to_string(i),
                                                VaeResnetBlock{i == 0 ? in : out, out, groups}));
  if (how == resize::none)
    return;
  // Halving pads right and below only, so its convolution itself does not pad.
  sampler_ = how == resize::halve ? Conv2d{out, out, conv_options{3, 2, 0}} : Conv2d{out, out};
  auto sampler = std::make_shared<torch::nn::Module>();
  sampler->register_module("conv", sampler_);
  register_module(how == resize::halve ? "downsamplers" : "upsamplers", numbered({sampler}));
}

at::Tensor VaeLevelImpl::forward(at::Tensor x) {
  for (auto& resnet : resnets_)
    x = resnet(x);
  if (how_ == resize::halve)
    x = sampler_(at::constant_pad_nd(x, {0, 1, 0, 1}));
  else if (how_ == resize::twice)
    x = sampler_->forward_doubled(x);
  return recorded(*this, x);
}

// -- encoder and decoder -------------------------------------------------------

VaeEncoderImpl::VaeEncoderImpl(const autoencoder_config& config) {
  const auto& channels = config.block_out_channels;
  auto groups = config.norm_num_groups;
  conv_in_ = register_module("conv_in", Conv2d{config.in_channels, channels.front()});
  auto blocks = register_module("down_blocks", std::make_shared<torch::nn::Module>());
  for (size_t i = 0; i < channels.size(); ++i) {
    auto how = i + 1 < channels.size() ? VaeLevelImpl::resize::halve : VaeLevelImpl::resize::none;
    levels_.push_back(blocks->register_module(
        std::to_string(i),
        VaeLevel{channels[i > 0 ? i - 1 : 0], channels[i], config.layers_per_block, groups, how}));
  }
  mid_block_ = register_module(
      "mid_block", VaeMidBlock{channels.back(), groups, config.mid_block_add_attention});
  conv_norm_out_ = register_module("conv_norm_out", GroupNorm{groups, channels.back(), eps});
  conv_out_ = register_module("conv_out", Conv2d{channels.back(), 2 * config.latent_channels});
}

at::Tensor VaeEncoderImpl::forward(at::Tensor x) {
  x = conv_in_(x); // [n, c0, h, w]
  for (auto& level : levels_)
    x = level(x);
  x = mid_block_(x);                                     // [n, c3, h / 8, w / 8]
  return conv_out_(conv_norm_out_(x, activation::silu)); // [n, 2 * latent, h / 8, w / 8]
}

VaeDecoderImpl::VaeDecoderImpl(const autoencoder_config& config) {
  auto channels =
      std::vector<int64_t>{config.block_out_channels.rbegin(), config.block_out_channels.rend()};
  auto groups = config.norm_num_groups;
  conv_in_ = register_module("conv_in", Conv2d{config.latent_channels, channels.front()});
  mid_block_ = register_module(
      "mid_block", VaeMidBlock{channels.front(), groups, config.mid_block_add_attention});
  auto blocks = register_module("up_blocks", std::make_shared<torch::nn::Module>());
  for (size_t i = 0; i < channels.size(); ++i) {
    auto how = i + 1 < channels.size() ? VaeLevelImpl::resize::twice : VaeLevelImpl::resize::none;
    levels_.push_back(blocks->register_module(std::to_string(i),
                                              VaeLevel{channels[i > 0 ? i - 1 : 0], channels[i],
                                                       config.layers_per_block + 1, groups, how}));
  }
  conv_norm_out_ = register_module("conv_norm_out", GroupNorm{groups, channels.back(), eps});
  conv_out_ = register_module("conv_out", Conv2d{channels.back(), config.out_channels});
}

at::Tensor VaeDecoderImpl::forward(at::Tensor x) {
  x = mid_block_(conv_in_(x)); // [n, c3, h, w]
  for (auto& level : levels_)
    x = level(x);
  return conv_out_(conv_norm_out_(x, activation::silu)); // [n, 3, 8 h, 8 w]
}

// -- the whole -----------------------------------------------------------------

AutoencoderKLImpl::AutoencoderKLImpl(const autoencoder_config& config)
    : config_(config), encoder_(config), decoder_(config) {
  register_module("encoder", encoder_);
  register_module("decoder", decoder_);
  auto latent = config.latent_channels;
  if (config.use_quant_conv)
    quant_conv_ = register_module("quant_conv", Conv2d{2 * latent, 2 * latent, pointwise()});
  if (config.use_post_quant_conv)
    post_quant_conv_ = register_module("post_quant_conv", Conv2d{latent, latent, pointwise()});
}

posterior AutoencoderKLImpl::encode(const at::Tensor& image) {
  auto moments = encoder_(image); // [n, 2 * latent, h / 8, w / 8]
  if (quant_conv_)
    moments = quant_conv_(moments);
  auto parts = moments.chunk(2, 1);
  return {parts[0], parts[1].clamp(-30.0, 20.0)};
}

at::Tensor AutoencoderKLImpl::decode(const at::Tensor& latent) {
  return decoder_(post_quant_conv_ ? post_quant_conv_(latent) : latent);
}

weight_names autoencoder_names() {
  auto to_network = [](const std::string& name) -> std::optional<std::string> {
    struct renaming {
      std::string_view from, to;
    };
    static constexpr renaming old_names[] = {{".query.", ".to_q."},
                                             {".key.", ".to_k."},
                                             {".value.", ".to_v."},
                                             {".proj_attn.", ".to_out.0."}};
    auto result = name;
    if (name.find(".attentions.") != std::string::npos)
      for (const auto& x : old_names)
        if (auto at = result.find(x.from); at != std::string::npos)
          result.replace(at, x.from.size(), x.to);
    return result;
  };
  return {to_network, "VAE", "Hugging Face stabilityai/sd-vae-ft-mse"};
}

} // namespace musetalk::models
