#include "models/networks/layers.hpp"

#include "models/networks/recorder.hpp"

#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv1d.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>

namespace musetalk::models {

namespace {

/// Memory that no page of is touched until weights are loaded into it.
at::Tensor unfilled(at::IntArrayRef shape) {
  return at::empty(shape, at::kFloat);
}

} // namespace

std::shared_ptr<torch::nn::Module>
numbered(const std::vector<std::shared_ptr<torch::nn::Module>>& modules) {
  auto list = std::make_shared<torch::nn::Module>();
  for (size_t i = 0; i < modules.size(); ++i)
    list->register_module(std::to_string(i), modules[i]);
  return list;
}

Conv2dImpl::Conv2dImpl(int64_t in, int64_t out, const conv_options& options) : options_(options) {
  auto shape = {out, in / options.groups, options.kernel, options.kernel};
  weight = register_parameter("weight", unfilled(shape), false);
  if (options.bias)
    bias = register_parameter("bias", unfilled({out}), false);
}

at::Tensor Conv2dImpl::forward(const at::Tensor& x) {
  return recorded(
      *this, at::conv2d(x, weight, bias, options_.stride, options_.padding, 1, options_.groups));
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
  return recorded(*this, at::linear(x, weight, bias));
}

GroupNormImpl::GroupNormImpl(int64_t groups, int64_t channels, double eps)
    : groups_(groups), eps_(eps) {
  weight = register_parameter("weight", unfilled({channels}), false);
  bias = register_parameter("bias", unfilled({channels}), false);
}

at::Tensor GroupNormImpl::forward(const at::Tensor& x) {
  // LibTorch's CPU kernel for channels-last takes the variance as E[x^2] - E[x]^2 in fp32. On a
  // face crop whose lower half is black that cancels to errors of 3e-3 in the latents; the kernel
  // for planes is exact.
  if (x.is_cpu())
    return recorded(*this, at::group_norm(x.contiguous(), groups_, weight, bias, eps_));
  return recorded(*this, at::group_norm(x, groups_, weight, bias, eps_));
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

at::Tensor BatchNorm2dImpl::forward(const at::Tensor& x) {
  return recorded(
      *this, at::batch_norm(x, weight, bias, running_mean, running_var, false, 0.0, eps_, false));
}

} // namespace musetalk::models
