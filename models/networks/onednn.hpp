#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string_view>

namespace musetalk::models {

/// While one lives, layers of this thread use LibTorch's plain operators and none of our own fast
/// paths on a CPU: what tests and benchmarks compare with.
class plain_layers {
public:
  plain_layers() noexcept;
  ~plain_layers();
  plain_layers(const plain_layers&) = delete;
  plain_layers& operator=(const plain_layers&) = delete;
};

/// Whether a tensor's layer may take a fast path: it lies on a CPU in fp32 or bf16, and there are
/// no `plain_layers`.
bool may_be_fast(const at::Tensor& x) noexcept;

/// oneDNN with weights that lie in its own order. LibTorch's `conv2d` and `linear` bring the
/// weights into that order in every call, which at batch 1 costs as much as the arithmetic. The
/// operators are those that LibTorch's compiler (inductor) emits; they are found by name at run
/// time.
namespace onednn {

/// Shape of a convolution, for both of its dimensions (y, x).
struct convolution_shape {
  int64_t stride[2] = {1, 1};
  int64_t padding[2] = {0, 0};
  int64_t groups = 1;
};

/// Whether this LibTorch has the operators and this processor runs the type.
bool available(at::ScalarType type);

/// Weights of a convolution in oneDNN's order, an opaque tensor.
/// @param weight `[out, in / groups, h, w]`. @param input Sizes of what will be given, `[n, in, h,
/// w]`.
at::Tensor pack_convolution(const at::Tensor& weight, const convolution_shape& shape,
                            at::IntArrayRef input);

/// @param x `[n, in, h, w]`. @param packed By `pack_convolution`.
/// @param addend Added to the result where defined; of its shape.
/// @param after `none`, `relu`, `swish`, `gelu`; only `none` and `relu` behind an addend.
/// @returns Channels-last.
at::Tensor convolution(const at::Tensor& x, const at::Tensor& packed, const at::Tensor& bias,
                       const convolution_shape& shape, const at::Tensor& addend = {},
                       std::string_view after = "none");

/// Weights of a linear layer in oneDNN's order for about so many rows.
at::Tensor pack_linear(const at::Tensor& weight, int64_t rows);

/// @param x `[..., in]`. @param after As above.
at::Tensor linear(const at::Tensor& x, const at::Tensor& packed, const at::Tensor& bias,
                  std::string_view after = "none");

} // namespace onednn

} // namespace musetalk::models
