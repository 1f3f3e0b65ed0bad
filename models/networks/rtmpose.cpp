#include "models/networks/rtmpose.hpp"

#include "errors/error.hpp"
#include "models/networks/config_reader.hpp"
#include "models/networks/recorder.hpp"
#include "models/pose_geometry.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/hardsigmoid.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <cmath>

namespace musetalk::models {

namespace {

constexpr int64_t max_depth = 64;
constexpr int64_t canvas_stride = 32;
constexpr double smallest_length = 1e-5;

conv_options square(int64_t kernel, int64_t stride = 1, int64_t groups = 1) {
  return {kernel, stride, kernel / 2, groups, false};
}

/// A dimension of a weight; 0 when there is no such weight.
int64_t dimension(const checkpoint& source, const std::string& name, size_t index) {
  const auto* x = source.find(name);
  if (!x)
    x = source.find("module." + name);
  return x && index < x->shape.size() ? x->shape[index] : 0;
}

} // namespace

rtmpose_config rtmpose_config::from_weights(const checkpoint& source) {
  auto c = rtmpose_config{};
  auto positive = [&](const std::string& name, size_t index) {
    auto n = dimension(source, name, index);
    if (n < 1 || n > config_reader::max_size)
      throw error{errc::models_invalid,
                  source.name() + " holds no RTMPose: " + name + " is missing or has no size"};
    return n;
  };
  c.widths[0] = positive("backbone.stem.2.conv.weight", 0);
  for (size_t i = 0; i < c.depths.size(); ++i) {
    auto stage = "backbone.stage" + std::to_string(i + 1);
    c.widths[i + 1] = positive(stage + ".0.conv.weight", 0);
    // The last stage has the pooling in between.
    auto blocks = stage + (i + 1 < c.depths.size() ? ".1" : ".2") + ".blocks.";
    c.depths[i] = 0;
    while (c.depths[i] < max_depth &&
           dimension(source, blocks + std::to_string(c.depths[i]) + ".conv1.conv.weight", 0) > 0)
      ++c.depths[i];
  }
  c.keypoints = positive("head.final_layer.weight", 0);
  c.hidden = positive("head.mlp.1.weight", 0);
  c.attention = positive("head.gau.gamma", 1);
  c.canvas_width = positive("head.cls_x.weight", 0) / simcc_split;
  c.canvas_height = positive("head.cls_y.weight", 0) / simcc_split;
  return c;
}

// -- trunk ---------------------------------------------------------------------

ConvBnSiluImpl::ConvBnSiluImpl(int64_t in, int64_t out, conv_options options)
    : conv_(in, out, options), bn_(out) {
  register_module("conv", conv_);
  register_module("bn", bn_);
}

at::Tensor ConvBnSiluImpl::forward(const at::Tensor& x) {
  return recorded(*this, conv_->forward_normed(x, *bn_, "swish"));
}

CspNextBlockImpl::CspNextBlockImpl(int64_t channels, bool identity)
    : conv1_(channels, channels, square(3)), depthwise_(channels, channels, square(5, 1, channels)),
      pointwise_(channels, channels, square(1)), identity_(identity) {
  register_module("conv1", conv1_);
  auto separable = register_module("conv2", std::make_shared<torch::nn::Module>());
  separable->register_module("depthwise_conv", depthwise_);
  separable->register_module("pointwise_conv", pointwise_);
}

at::Tensor CspNextBlockImpl::forward(const at::Tensor& x) {
  auto y = pointwise_(depthwise_(conv1_(x)));
  return recorded(*this, identity_ ? y + x : y);
}

CspLayerImpl::CspLayerImpl(int64_t channels, int64_t depth, bool identity)
    : main_conv_(channels, channels / 2, square(1)), short_conv_(channels, channels / 2, square(1)),
      final_conv_(channels / 2 * 2, channels, square(1)),
      attention_(channels / 2 * 2, channels / 2 * 2, pointwise()) {
  register_module("main_conv", main_conv_);
  register_module("short_conv", short_conv_);
  register_module("final_conv", final_conv_);
  auto list = register_module("blocks", numbered({}));
  for (int64_t i = 0; i < depth; ++i)
    blocks_.push_back(
        list->register_module(std::to_string(i), CspNextBlock{channels / 2, identity}));
  auto attention = register_module("attention", std::make_shared<torch::nn::Module>());
  attention->register_module("fc", attention_);
}

at::Tensor CspLayerImpl::forward(const at::Tensor& x) {
  auto y = main_conv_(x);
  for (auto& block : blocks_)
    y = block(y);
  y = at::cat({y, short_conv_(x)}, 1); // [n, channels, h, w]
  y = y * at::hardsigmoid(attention_(y.mean({2, 3}, true)));
  return recorded(*this, final_conv_(y));
}

SppBottleneckImpl::SppBottleneckImpl(int64_t channels)
    : conv1_(channels, channels / 2, square(1)), conv2_(channels / 2 * 4, channels, square(1)) {
  register_module("conv1", conv1_);
  register_module("conv2", conv2_);
}

at::Tensor SppBottleneckImpl::forward(const at::Tensor& x) {
  auto y = conv1_(x);
  auto all = std::vector<at::Tensor>{y};
  for (int64_t kernel : {5, 9, 13})
    all.push_back(at::max_pool2d(y, kernel, 1, kernel / 2));
  return recorded(*this, conv2_(at::cat(all, 1)));
}

CspStageImpl::CspStageImpl(int64_t in, int64_t out, int64_t depth, bool last)
    : conv_(in, out, square(3, 2)), layer_(out, depth, !last) {
  register_module("0", conv_);
  if (last)
    pool_ = register_module("1", SppBottleneck{out});
  register_module(last ? "2" : "1", layer_);
}

at::Tensor CspStageImpl::forward(const at::Tensor& x) {
  auto y = conv_(x);
  if (pool_)
    y = pool_(y);
  return recorded(*this, layer_(y));
}

CspNextImpl::CspNextImpl(const rtmpose_config& config) {
  auto half = config.widths[0] / 2;
  stem_convs_ = {ConvBnSilu{3, half, square(3, 2)}, ConvBnSilu{half, half, square(3)},
                 ConvBnSilu{half, config.widths[0], square(3)}};
  stem_ = register_module(
      "stem", numbered({stem_convs_[0].ptr(), stem_convs_[1].ptr(), stem_convs_[2].ptr()}));
  for (size_t i = 0; i < config.depths.size(); ++i)
    stages_.push_back(register_module("stage" + std::to_string(i + 1),
                                      CspStage{config.widths[i], config.widths[i + 1],
                                               config.depths[i], i + 1 == config.depths.size()}));
}

at::Tensor CspNextImpl::forward(at::Tensor x) {
  for (auto& conv : stem_convs_)
    x = conv(x);
  x = recorded(*stem_, x); // [n, widths[0], h / 2, w / 2]
  for (auto& stage : stages_)
    x = stage(x);
  return recorded(*this, x);
}

// -- head ----------------------------------------------------------------------

ScaleNormImpl::ScaleNormImpl(int64_t channels)
    : factor_(1.0 / std::sqrt(static_cast<double>(channels))) {
  g_ = register_parameter("g", at::empty({1}, at::kFloat), false);
}

at::Tensor ScaleNormImpl::forward(const at::Tensor& x) {
  auto length = at::linalg_vector_norm(x, 2, at::IntArrayRef{-1}, true) * factor_;
  return recorded(*this, x / length.clamp_min(smallest_length) * g_);
}

GatedAttentionUnitImpl::GatedAttentionUnitImpl(int64_t channels, int64_t attention)
    : expanded_(2 * channels), attention_(attention), o_(expanded_, channels, false),
      uv_(channels, 2 * expanded_ + attention, false), ln_(channels) {
  gamma_ = register_parameter("gamma", at::empty({2, attention}, at::kFloat), false);
  beta_ = register_parameter("beta", at::empty({2, attention}, at::kFloat), false);
  register_module("o", o_);
  register_module("uv", uv_);
  register_module("ln", ln_);
  auto scale = register_module("res_scale", std::make_shared<torch::nn::Module>());
  res_scale_ = scale->register_parameter("scale", at::empty({channels}, at::kFloat), false);
}

at::Tensor GatedAttentionUnitImpl::forward(const at::Tensor& x) {
  auto parts = at::silu(uv_(ln_(x))).split_with_sizes({expanded_, expanded_, attention_}, -1);
  const auto &u = parts[0], &v = parts[1], &base = parts[2];
  auto q = base * gamma_[0] + beta_[0]; // [n, keypoints, attention]
  auto k = base * gamma_[1] + beta_[1];
  auto weights =
      at::relu(at::matmul(q, k.transpose(1, 2)) / std::sqrt(static_cast<double>(attention_)))
          .square(); // [n, keypoints, keypoints]
  return recorded(*this, o_(u * at::matmul(weights, v)) + res_scale_ * x);
}

RtmccHeadImpl::RtmccHeadImpl(const rtmpose_config& config)
    : final_layer_(config.widths[4], config.keypoints, conv_options{7, 1, 3}),
      mlp_norm_((config.canvas_width / canvas_stride) * (config.canvas_height / canvas_stride)),
      mlp_linear_((config.canvas_width / canvas_stride) * (config.canvas_height / canvas_stride),
                  config.hidden, false),
      gau_(config.hidden, config.attention),
      cls_x_(config.hidden, simcc_split * config.canvas_width, false),
      cls_y_(config.hidden, simcc_split * config.canvas_height, false) {
  register_module("final_layer", final_layer_);
  mlp_ = register_module("mlp", numbered({mlp_norm_.ptr(), mlp_linear_.ptr()}));
  register_module("gau", gau_);
  register_module("cls_x", cls_x_);
  register_module("cls_y", cls_y_);
}

simcc RtmccHeadImpl::forward(const at::Tensor& features) {
  // The map is channels-last, the vectors per keypoint are not.
  auto x = final_layer_(features).contiguous().flatten(2); // [n, keypoints, cells]
  x = recorded(*mlp_, mlp_linear_(mlp_norm_(x)));          // [n, keypoints, hidden]
  x = gau_(x);
  return {cls_x_(x), cls_y_(x)};
}

// -- the whole -----------------------------------------------------------------

RTMPoseImpl::RTMPoseImpl(const rtmpose_config& config)
    : config_(config), backbone_(config), head_(config) {
  register_module("backbone", backbone_);
  register_module("head", head_);
}

simcc RTMPoseImpl::forward(const at::Tensor& x) {
  return head_->forward(backbone_(x));
}

simcc RTMPoseImpl::forward_with_flip(const at::Tensor& x) {
  // Both in one batch.
  auto n = x.size(0);
  auto both = forward(at::cat({x, x.flip(3)}));
  const auto& mirror = mirrored_keypoints();
  auto order = at::tensor(at::ArrayRef<int>{mirror}, at::kLong).to(x.device());
  auto flipped_x = both.x.narrow(0, n, n).index_select(1, order).flip(2);
  auto flipped_y = both.y.narrow(0, n, n).index_select(1, order);
  return {(both.x.narrow(0, 0, n) + flipped_x) * 0.5, (both.y.narrow(0, 0, n) + flipped_y) * 0.5};
}

weight_names rtmpose_names() {
  auto to_network = [](const std::string& name) -> std::optional<std::string> {
    if (name.starts_with("backbone.") || name.starts_with("head."))
      return name;
    return std::nullopt;
  };
  return {to_network, "pose network (DWPose)", "Hugging Face yzd-v/DWPose"};
}

at::Tensor pose_input(const at::Tensor& bgr) {
  auto options = at::TensorOptions{}.dtype(at::kFloat).device(bgr.device());
  auto mean = at::tensor({123.675, 116.28, 103.53}, options);
  auto deviation = at::tensor({58.395, 57.12, 57.375}, options);
  return ((bgr.flip({3}).to(at::kFloat) - mean) / deviation).permute({0, 3, 1, 2});
}

decoded_pose decode(const simcc& vectors) {
  auto [best_x, place_x] = vectors.x.max(2);
  auto [best_y, place_y] = vectors.y.max(2);
  auto scores = at::minimum(best_x, best_y);
  auto points = at::stack({place_x, place_y}, 2).to(at::kDouble);
  points = points.masked_fill((scores <= 0).unsqueeze(2), -1.0) / static_cast<double>(simcc_split);
  return {points, scores};
}

} // namespace musetalk::models
