#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>

namespace musetalk::models {

/// A 3 x 3 convolution, padding 1, of a picture at twice its size, where each pixel stands four
/// times (nearest), without making that picture: under the nine weights lie only 2 x 2 different
/// pixels, which ones depends on whether row and column are odd. Four convolutions of 2 x 2 summed
/// weights need 4 of 9 products. For CPUs, through oneDNN.
class doubled_convolution {
public:
  /// @param weight `[out, in, 3, 3]`. @param input Sizes of what will be given, `[n, in, h, w]`.
  void pack(const at::Tensor& weight, at::IntArrayRef input);

  bool packed() const noexcept { return parts_[0].defined(); }

  /// @param x `[n, in, h, w]`. @param bias `[out]` or undefined.
  /// @returns `[n, out, 2 h, 2 w]`, channels-last.
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& bias) const;

private:
  int64_t out_channels_ = 0;
  std::array<at::Tensor, 4> parts_; ///< By `2 * odd row + odd column`; opaque.
};

} // namespace musetalk::models
