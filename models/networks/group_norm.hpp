#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace musetalk::models {

/// What follows a normalisation in the same pass over memory.
enum class activation : uint8_t { none, silu };

/// GroupNorm of a picture on a CPU, channels last, and SiLU behind it where wanted. LibTorch's own
/// kernel for this layout takes the variance as E[x^2] - E[x]^2 in fp32, which on a face crop whose
/// lower half is black cancels to errors of 3e-3 in the latents; its exact kernel wants planes, and
/// with them two copies of each picture. Here small blocks of pixels are summed twice while they
/// are in the cache, for their mean and for the squares around it, and joined in fp64 in the order
/// of the blocks: exact, one reading of memory for the moments, one for the values, and the same
/// result for any number of threads.
///
/// @param x `[n, channels, h, w]` fp32 or bf16 on a CPU; copied first when it is not channels-last.
/// @param weight, bias `[channels]`.
/// @returns The same shape and type, channels-last.
at::Tensor group_norm_channels_last(const at::Tensor& x, int64_t groups, const at::Tensor& weight,
                                    const at::Tensor& bias, double eps, activation next);

} // namespace musetalk::models
