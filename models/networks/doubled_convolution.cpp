#include "models/networks/doubled_convolution.hpp"

#include "models/networks/onednn.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>

namespace musetalk::models {

namespace {

/// Padded on all sides, so that one shape serves all four; a row and a column of each are dropped.
constexpr auto padded = onednn::convolution_shape{{1, 1}, {1, 1}, 1};

/// Three weights along a dimension to the two that meet different pixels. An even row sees the
/// pixel before it once and its own twice, an odd one its own twice and the next once.
at::Tensor summed(const at::Tensor& x, int64_t dimension, bool odd) {
  auto first = x.select(dimension, 0), middle = x.select(dimension, 1),
       last = x.select(dimension, 2);
  return odd ? at::stack({first + middle, last}, dimension)
             : at::stack({first, middle + last}, dimension);
}

} // namespace

void doubled_convolution::pack(const at::Tensor& weight, at::IntArrayRef input) {
  out_channels_ = weight.size(0);
  for (size_t i = 0; i < parts_.size(); ++i) {
    auto part = summed(summed(weight.to(at::kFloat), 2, i / 2 == 1), 3, i % 2 == 1);
    parts_[i] = onednn::pack_convolution(part.to(weight.scalar_type()), padded, input);
  }
}

at::Tensor doubled_convolution::operator()(const at::Tensor& x, const at::Tensor& bias) const {
  auto n = x.size(0), h = x.size(2), w = x.size(3), out = out_channels_;
  auto result = at::empty({n, out, 2 * h, 2 * w}, x.options(), at::MemoryFormat::ChannelsLast);
  auto pixels = result.permute({0, 2, 3, 1}).view({n, h, 2, w, 2, out});
  for (int64_t row : {0, 1})
    for (int64_t column : {0, 1}) {
      const auto& part = parts_[static_cast<size_t>(2 * row + column)];
      auto y =
          onednn::convolution(x, part, bias, padded).permute({0, 2, 3, 1}); // [n, h+1, w+1, out]
      pixels.select(4, column).select(2, row).copy_(y.narrow(1, row, h).narrow(2, column, w));
    }
  return result;
}

} // namespace musetalk::models
