#pragma once

#include <ATen/core/Tensor.h>

namespace musetalk::models {

/// Scaled dot-product attention: softmax of `q k^T / sqrt(width)`, times `v`.
///
/// LibTorch's fused kernel computes bf16 at the pace of fp32 on processors without AMX. There long
/// sequences in bf16 go head by head through one matrix of scores, which stays in the cache, and
/// oneDNN's bf16 products: 0.6 times the time at 1500 steps. Scores are rounded to bf16 then.
///
/// @param q `[n, heads, steps, width]`. @param k, v `[n, heads, keys, width]`.
/// @returns `[n, heads, steps, width]`.
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);

} // namespace musetalk::models
