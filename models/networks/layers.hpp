#pragma once

#include "models/networks/doubled_convolution.hpp"
#include "models/networks/group_norm.hpp"
#include "models/networks/onednn.hpp"

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace musetalk::models {

/// The layers that the networks are made of. Like those of `torch::nn`, with two differences:
/// parameters are born without values (nothing is drawn at random only to be overwritten), and
/// there is no training. Names and shapes are PyTorch's.
///
/// On a CPU the convolutions and linear layers bring their weights into oneDNN's order when the
/// first input comes, and let go of the others: `weight` is empty from then on. So one convolution
/// is always called in the same way.

/// A module that holds others under the names "0", "1", ..., as PyTorch's lists and sequences do.
std::shared_ptr<torch::nn::Module>
numbered(const std::vector<std::shared_ptr<torch::nn::Module>>& modules);

/// Shape of a `Conv2d` beyond its channels.
struct conv_options {
  int64_t kernel = 3;
  int64_t stride = 1;
  int64_t padding = 1;
  int64_t groups = 1;
  bool bias = true;
};

class BatchNorm2dImpl;

/// 2-d convolution, zero padding.
class Conv2dImpl : public torch::nn::Module {
public:
  Conv2dImpl(int64_t in, int64_t out, const conv_options& options = {});

  /// @param x `[n, in, h, w]`. @returns `[n, out, h', w']`.
  at::Tensor forward(const at::Tensor& x);

  /// `forward(x) + addend`.
  /// @param addend `[n, out, h', w']`.
  at::Tensor forward_plus(const at::Tensor& x, const at::Tensor& addend);

  /// `forward(x)`, normalised, then `after` (`none`, `relu`, `swish`). On a CPU all in one pass,
  /// with the normalisation folded into the packed weights.
  /// @param addend Added before `after` where defined, `[n, out, h', w']`; not with `swish`.
  at::Tensor forward_normed(const at::Tensor& x, BatchNorm2dImpl& norm, std::string_view after,
                            const at::Tensor& addend = {});

  /// `forward(x)`, then `relu`; on a CPU in one pass.
  at::Tensor forward_relu(const at::Tensor& x);

  /// `forward` of `x` at twice its size, each pixel four times (nearest). On a CPU without making
  /// that picture. Kernel 3, padding 1.
  at::Tensor forward_doubled(const at::Tensor& x);

  /// A pointwise convolution of pixels that are rows already.
  /// @param tokens `[n, tokens, in]`. @returns `[n, tokens, out]`.
  at::Tensor on_tokens(const at::Tensor& tokens);

  at::Tensor weight; ///< `[out, in / groups, kernel, kernel]`.
  at::Tensor bias;   ///< `[out]`; undefined without bias.

private:
  bool packs(const at::Tensor& x);
  bool folds(const at::Tensor& x, const BatchNorm2dImpl& norm);
  bool doubles(const at::Tensor& x);

  conv_options options_;
  onednn::convolution_shape shape_;
  at::Tensor packed_;
  at::Tensor folded_bias_; ///< When a normalisation is in `packed_`.
  doubled_convolution doubled_;
};
TORCH_MODULE(Conv2d);

/// `1 x 1` convolution.
inline conv_options pointwise(bool bias = true) {
  return {1, 1, 0, 1, bias};
}

/// 1-d convolution, kernel 3, padding 1.
class Conv1dImpl : public torch::nn::Module {
public:
  Conv1dImpl(int64_t in, int64_t out, int64_t stride);

  /// @param x `[n, in, length]`. @returns `[n, out, length / stride]`.
  at::Tensor forward(const at::Tensor& x);

  at::Tensor weight; ///< `[out, in, 3]`.
  at::Tensor bias;   ///< `[out]`.

private:
  int64_t stride_;
};
TORCH_MODULE(Conv1d);

/// Affine map of the last dimension.
class LinearImpl : public torch::nn::Module {
public:
  LinearImpl(int64_t in, int64_t out, bool with_bias = true);

  /// @param x `[..., in]`. @returns `[..., out]`.
  at::Tensor forward(const at::Tensor& x);

  at::Tensor weight; ///< `[out, in]`.
  at::Tensor bias;   ///< `[out]`; undefined without bias.

private:
  at::Tensor packed_;
};
TORCH_MODULE(Linear);

/// Normalises groups of channels.
class GroupNormImpl : public torch::nn::Module {
public:
  GroupNormImpl(int64_t groups, int64_t channels, double eps);

  /// @param x `[n, channels, h, w]`. @param next Applied to the result.
  /// @returns the same shape.
  at::Tensor forward(const at::Tensor& x, activation next = activation::none);

  at::Tensor weight; ///< `[channels]`.
  at::Tensor bias;   ///< `[channels]`.

private:
  at::Tensor normalised(const at::Tensor& x, activation next);

  int64_t groups_;
  double eps_;
};
TORCH_MODULE(GroupNorm);

/// Normalises the last dimension.
class LayerNormImpl : public torch::nn::Module {
public:
  explicit LayerNormImpl(int64_t channels, double eps = 1e-5);

  /// @param x `[..., channels]`. @returns the same shape.
  at::Tensor forward(const at::Tensor& x);

  at::Tensor weight; ///< `[channels]`.
  at::Tensor bias;   ///< `[channels]`.

private:
  double eps_;
};
TORCH_MODULE(LayerNorm);

/// Batch normalisation with the statistics of the checkpoint.
class BatchNorm2dImpl : public torch::nn::Module {
public:
  explicit BatchNorm2dImpl(int64_t channels, double eps = 1e-5);

  /// @param x `[n, channels, h, w]`. @returns the same shape.
  at::Tensor forward(const at::Tensor& x);

  at::Tensor weight;              ///< `[channels]`.
  at::Tensor bias;                ///< `[channels]`.
  at::Tensor running_mean;        ///< `[channels]`.
  at::Tensor running_var;         ///< `[channels]`.
  at::Tensor num_batches_tracked; ///< Scalar; in the checkpoint, of no use here.

  /// What it multiplies with, `[channels]` fp32.
  at::Tensor factor() const;

private:
  double eps_;
};
TORCH_MODULE(BatchNorm2d);

} // namespace musetalk::models
