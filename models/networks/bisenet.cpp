#include "models/networks/bisenet.hpp"

#include "errors/error.hpp"
#include "models/networks/config_reader.hpp"
#include "models/networks/recorder.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/upsample_nearest2d.h>

namespace musetalk::models {

namespace {

conv_options square(int64_t kernel, int64_t stride = 1) {
  return {kernel, stride, kernel / 2, 1, false};
}

at::Tensor mean_of_picture(const at::Tensor& x) {
  return x.mean({2, 3}, true);
} // [n, c, 1, 1]

at::Tensor resized(const at::Tensor& x, const at::Tensor& like) {
  return at::upsample_nearest2d(x, {like.size(2), like.size(3)});
}

int64_t first_dimension(const checkpoint& source, const std::string& name) {
  const auto* x = source.find(name);
  if (!x)
    x = source.find("module." + name);
  if (!x || x->shape.empty() || x->shape[0] < 1 || x->shape[0] > config_reader::max_size)
    throw error{errc::models_invalid,
                source.name() + " holds no BiSeNet: " + name + " is missing or has no size"};
  return x->shape[0];
}

} // namespace

bisenet_config bisenet_config::from_weights(const checkpoint& source) {
  auto c = bisenet_config{};
  c.base = first_dimension(source, "cp.resnet.conv1.weight");
  c.classes = first_dimension(source, "conv_out.conv_out.weight");
  return c;
}

ConvBnReluImpl::ConvBnReluImpl(int64_t in, int64_t out, conv_options options)
    : conv_(in, out, options), bn_(out) {
  register_module("conv", conv_);
  register_module("bn", bn_);
}

at::Tensor ConvBnReluImpl::forward(const at::Tensor& x) {
  return recorded(*this, conv_->forward_normed(x, *bn_, "relu"));
}

BasicBlockImpl::BasicBlockImpl(int64_t in, int64_t out, int64_t stride)
    : conv1_(in, out, square(3, stride)), bn1_(out), conv2_(out, out, square(3)), bn2_(out) {
  register_module("conv1", conv1_);
  register_module("bn1", bn1_);
  register_module("conv2", conv2_);
  register_module("bn2", bn2_);
  if (stride == 1 && in == out)
    return;
  downsample_ = Conv2d{in, out, square(1, stride)};
  downsample_bn_ = BatchNorm2d{out};
  register_module("downsample", numbered({downsample_.ptr(), downsample_bn_.ptr()}));
}

at::Tensor BasicBlockImpl::forward(const at::Tensor& x) {
  auto y = conv1_->forward_normed(x, *bn1_, "relu");
  auto skip = downsample_ ? downsample_->forward_normed(x, *downsample_bn_, "none") : x;
  return recorded(*this, conv2_->forward_normed(y, *bn2_, "relu", skip));
}

ResNetLayerImpl::ResNetLayerImpl(int64_t in, int64_t out, int64_t stride)
    : first_(in, out, stride), second_(out, out, 1) {
  register_module("0", first_);
  register_module("1", second_);
}

at::Tensor ResNetLayerImpl::forward(const at::Tensor& x) {
  return recorded(*this, second_(first_(x)));
}

ResNet18Impl::ResNet18Impl(int64_t base)
    : conv1_(3, base, square(7, 2)), bn1_(base), layer1_(base, base, 1), layer2_(base, 2 * base, 2),
      layer3_(2 * base, 4 * base, 2), layer4_(4 * base, 8 * base, 2) {
  register_module("conv1", conv1_);
  register_module("bn1", bn1_);
  register_module("layer1", layer1_);
  register_module("layer2", layer2_);
  register_module("layer3", layer3_);
  register_module("layer4", layer4_);
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> ResNet18Impl::forward(const at::Tensor& x) {
  auto h = conv1_->forward_normed(x, *bn1_, "relu"); // [n, base, h / 2, w / 2]
  h = at::max_pool2d(h, 3, 2, 1);                    // [n, base, h / 4, w / 4]
  auto feat8 = layer2_(layer1_(h));
  auto feat16 = layer3_(feat8);
  return {feat8, feat16, layer4_(feat16)};
}

AttentionRefinementImpl::AttentionRefinementImpl(int64_t in, int64_t out)
    : conv_(in, out, square(3)), conv_atten_(out, out, pointwise(false)), bn_atten_(out) {
  register_module("conv", conv_);
  register_module("conv_atten", conv_atten_);
  register_module("bn_atten", bn_atten_);
}

at::Tensor AttentionRefinementImpl::forward(const at::Tensor& x) {
  auto f = conv_(x);
  auto gate = conv_atten_->forward_normed(mean_of_picture(f), *bn_atten_, "none"); // [n, out, 1, 1]
  return recorded(*this, f * at::sigmoid(gate));
}

ContextPathImpl::ContextPathImpl(int64_t base)
    : resnet_(base), arm16_(4 * base, 2 * base), arm32_(8 * base, 2 * base),
      conv_head32_(2 * base, 2 * base, square(3)), conv_head16_(2 * base, 2 * base, square(3)),
      conv_avg_(8 * base, 2 * base, square(1)) {
  register_module("resnet", resnet_);
  register_module("arm16", arm16_);
  register_module("arm32", arm32_);
  register_module("conv_head32", conv_head32_);
  register_module("conv_head16", conv_head16_);
  register_module("conv_avg", conv_avg_);
}

std::tuple<at::Tensor, at::Tensor> ContextPathImpl::forward(const at::Tensor& x) {
  auto [feat8, feat16, feat32] = resnet_->forward(x);
  auto whole = conv_avg_(mean_of_picture(feat32)); // [n, 2 base, 1, 1]
  auto s32 = arm32_(feat32) + resized(whole, feat32);
  auto s16 = arm16_(feat16) + conv_head32_(resized(s32, feat16));
  return {feat8, conv_head16_(resized(s16, feat8))};
}

FeatureFusionImpl::FeatureFusionImpl(int64_t channels)
    : convblk_(channels, channels, square(1)), conv1_(channels, channels / 4, pointwise(false)),
      conv2_(channels / 4, channels, pointwise(false)) {
  register_module("convblk", convblk_);
  register_module("conv1", conv1_);
  register_module("conv2", conv2_);
}

at::Tensor FeatureFusionImpl::forward(const at::Tensor& spatial, const at::Tensor& context) {
  auto f = convblk_(at::cat({spatial, context}, 1));
  auto gate = at::sigmoid(conv2_(at::relu(conv1_(mean_of_picture(f)))));
  return recorded(*this, f * gate + f);
}

ParsingHeadImpl::ParsingHeadImpl(int64_t in, int64_t middle, int64_t classes)
    : conv_(in, middle, square(3)), conv_out_(middle, classes, pointwise(false)) {
  register_module("conv", conv_);
  register_module("conv_out", conv_out_);
}

at::Tensor ParsingHeadImpl::forward(const at::Tensor& x) {
  return recorded(*this, conv_out_(conv_(x)));
}

BiSeNetImpl::BiSeNetImpl(const bisenet_config& config)
    : cp_(config.base), ffm_(4 * config.base),
      conv_out_(4 * config.base, 4 * config.base, config.classes) {
  register_module("cp", cp_);
  register_module("ffm", ffm_);
  register_module("conv_out", conv_out_);
}

at::Tensor BiSeNetImpl::forward(const at::Tensor& x) {
  auto [spatial, context] = cp_->forward(x);
  auto logits = conv_out_(ffm_->forward(spatial, context)); // [n, classes, h / 8, w / 8]
  return at::upsample_bilinear2d(logits, {x.size(2), x.size(3)}, true);
}

weight_names bisenet_names() {
  auto to_network = [](const std::string& name) -> std::optional<std::string> {
    if (name.starts_with("conv_out16.") || name.starts_with("conv_out32."))
      return std::nullopt;
    return name;
  };
  return {to_network, "face parsing network (BiSeNet)",
          "Hugging Face ManyOtherFunctions/face-parse-bisent"};
}

} // namespace musetalk::models
