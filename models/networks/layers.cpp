#include "models/networks/layers.hpp"

#include "models/networks/recorder.hpp"

#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv1d.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/InferenceMode.h>

namespace musetalk::models {

namespace {

/// Pixels of a picture from which on its doubling pays for weights that take 16 / 9 of the memory.
constexpr int64_t least_doubled_pixels = 32 * 32;

/// Memory that no page of is touched until weights are loaded into it.
at::Tensor unfilled(at::IntArrayRef shape) {
  return at::empty(shape, at::kFloat);
}

/// Lets go of a weight's memory; the module's list of parameters holds it too.
void empty(at::Tensor& weight) {
  c10::InferenceMode off{false};
  weight.set_data(at::empty({0}, weight.options()));
}

bool packs(const at::Tensor& x, const at::Tensor& packed) {
  return packed.defined() || (may_be_fast(x) && onednn::available(x.scalar_type()));
}

/// A recorded network keeps what each module returns, so nothing may be fused with it.
bool is_recorded() {
  return recorder::current() != nullptr;
}

} // namespace

std::shared_ptr<torch::nn::Module>
numbered(const std::vector<std::shared_ptr<torch::nn::Module>>& modules) {
  auto list = std::make_shared<torch::nn::Module>();
  for (size_t i = 0; i < modules.size(); ++i)
    list->register_module(std::to_string(i), modules[i]);
  return list;
}

Conv2dImpl::Conv2dImpl(int64_t in, int64_t out, const conv_options& options)
    : options_(options), shape_{{options.stride, options.stride},
                                {options.padding, options.padding},
                                options.groups} {
  auto shape = {out, in / options.groups, options.kernel, options.kernel};
  weight = register_parameter("weight", unfilled(shape), false);
  if (options.bias)
    bias = register_parameter("bias", unfilled({out}), false);
}

bool Conv2dImpl::packs(const at::Tensor& x) {
  if (!models::packs(x, packed_))
    return false;
  if (!packed_.defined()) {
    packed_ = onednn::pack_convolution(weight, shape_, x.sizes());
    empty(weight);
  }
  return true;
}

at::Tensor Conv2dImpl::forward(const at::Tensor& x) {
  if (packs(x))
    return recorded(*this, onednn::convolution(x, packed_, bias, shape_));
  return recorded(
      *this, at::conv2d(x, weight, bias, options_.stride, options_.padding, 1, options_.groups));
}

at::Tensor Conv2dImpl::forward_plus(const at::Tensor& x, const at::Tensor& addend) {
  if (!is_recorded() && packs(x))
    return onednn::convolution(x, packed_, bias, shape_, addend);
  return forward(x).add_(addend);
}

at::Tensor Conv2dImpl::forward_relu(const at::Tensor& x) {
  if (!is_recorded() && packs(x))
    return onednn::convolution(x, packed_, bias, shape_, {}, "relu");
  auto y = forward(x);
  return at::relu_(y);
}

bool Conv2dImpl::folds(const at::Tensor& x, const BatchNorm2dImpl& norm) {
  if (!packed_.defined() && !is_recorded() && models::packs(x, packed_)) {
    auto factor = norm.factor();
    auto shift = bias.defined() ? bias.to(at::kFloat) : at::zeros_like(factor);
    folded_bias_ = ((shift - norm.running_mean) * factor + norm.bias).to(weight.scalar_type());
    auto scaled = weight.to(at::kFloat) * factor.view({-1, 1, 1, 1});
    packed_ = onednn::pack_convolution(scaled.to(weight.scalar_type()), shape_, x.sizes());
    empty(weight);
  }
  return folded_bias_.defined();
}

at::Tensor Conv2dImpl::forward_normed(const at::Tensor& x, BatchNorm2dImpl& norm,
                                      std::string_view after, const at::Tensor& addend) {
  if (folds(x, norm))
    return onednn::convolution(x, packed_, folded_bias_, shape_, addend, after);
  auto y = norm.forward(forward(x));
  if (addend.defined())
    y = y + addend;
  if (after == "relu")
    return at::relu(y);
  return after == "swish" ? at::silu(y) : y;
}

bool Conv2dImpl::doubles(const at::Tensor& x) {
  if (packed_.defined() || doubled_.packed())
    return doubled_.packed();
  if (x.size(2) * x.size(3) < least_doubled_pixels || !models::packs(x, packed_))
    return false;
  doubled_.pack(weight, x.sizes());
  empty(weight);
  return true;
}

at::Tensor Conv2dImpl::forward_doubled(const at::Tensor& x) {
  if (doubles(x))
    return recorded(*this, doubled_(x, bias));
  return forward(at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)}));
}

at::Tensor Conv2dImpl::on_tokens(const at::Tensor& tokens) {
  if (models::packs(tokens, packed_)) {
    if (!packed_.defined()) {
      packed_ = onednn::pack_linear(weight.flatten(1), tokens.size(0) * tokens.size(1));
      empty(weight);
    }
    return recorded(*this, onednn::linear(tokens, packed_, bias));
  }
  return recorded(*this, at::linear(tokens, weight.flatten(1), bias));
}

Conv1dImpl::Conv1dImpl(int64_t in, int64_t out, int64_t stride) : stride_(stride) {
  weight = register_parameter("weight", unfilled({out, in, 3}), false);
  bias = register_parameter("bias", unfilled({out}), false);
}

at::Tensor Conv1dImpl::forward(const at::Tensor& x) {
  return recorded(*this, at::conv1d(x, weight, bias, stride_, 1));
}

LinearImpl::LinearImpl(int64_t in, int64_t out, bool with_bias) {
  weight = register_parameter("weight", unfilled({out, in}), false);
  if (with_bias)
    bias = register_parameter("bias", unfilled({out}), false);
}

at::Tensor LinearImpl::forward(const at::Tensor& x) {
  if (packs(x, packed_)) {
    if (!packed_.defined()) {
      packed_ = onednn::pack_linear(weight, x.numel() / x.size(-1));
      empty(weight);
    }
    return recorded(*this, onednn::linear(x, packed_, bias));
  }
  return recorded(*this, at::linear(x, weight, bias));
}

GroupNormImpl::GroupNormImpl(int64_t groups, int64_t channels, double eps)
    : groups_(groups), eps_(eps) {
  weight = register_parameter("weight", unfilled({channels}), false);
  bias = register_parameter("bias", unfilled({channels}), false);
}

at::Tensor GroupNormImpl::normalised(const at::Tensor& x, activation next) {
  if (may_be_fast(x))
    return group_norm_channels_last(x, groups_, weight, bias, eps_, next);
  // LibTorch's CPU kernel is exact only for planes: see group_norm.hpp.
  auto y = at::group_norm(x.is_cpu() ? x.contiguous() : x, groups_, weight, bias, eps_);
  return next == activation::silu ? at::silu_(y) : y;
}

at::Tensor GroupNormImpl::forward(const at::Tensor& x, activation next) {
  if (!is_recorded())
    return normalised(x, next);
  auto y = recorded(*this, normalised(x, activation::none));
  return next == activation::silu ? at::silu(y) : y;
}

LayerNormImpl::LayerNormImpl(int64_t channels, double eps) : eps_(eps) {
  weight = register_parameter("weight", unfilled({channels}), false);
  bias = register_parameter("bias", unfilled({channels}), false);
}

at::Tensor LayerNormImpl::forward(const at::Tensor& x) {
  return recorded(*this, at::layer_norm(x, {x.size(-1)}, weight, bias, eps_));
}

BatchNorm2dImpl::BatchNorm2dImpl(int64_t channels, double eps) : eps_(eps) {
  weight = register_parameter("weight", unfilled({channels}), false);
  bias = register_parameter("bias", unfilled({channels}), false);
  running_mean = register_buffer("running_mean", unfilled({channels}));
  running_var = register_buffer("running_var", unfilled({channels}));
  num_batches_tracked = register_buffer("num_batches_tracked", at::empty({}, at::kLong));
}

at::Tensor BatchNorm2dImpl::factor() const {
  return weight.to(at::kFloat) / (running_var.to(at::kFloat) + eps_).sqrt();
}

at::Tensor BatchNorm2dImpl::forward(const at::Tensor& x) {
  return recorded(
      *this, at::batch_norm(x, weight, bias, running_mean, running_var, false, 0.0, eps_, false));
}

} // namespace musetalk::models
