#include "models/networks/face_images.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>

namespace musetalk::models {

at::Tensor encoder_input(const at::Tensor& bgr) {
  auto rows = bgr.size(1);
  auto x = bgr.flip({3}).to(at::kFloat).div_(255.0); // RGB
  auto masked = x.clone();
  masked.narrow(1, rows / 2, rows - rows / 2).zero_();
  return at::cat({masked, x}).sub_(0.5).div_(0.5).permute({0, 3, 1, 2}); // channels last
}

at::Tensor join_latents(const at::Tensor& means, double scaling_factor) {
  auto n = means.size(0) / 2;
  return at::cat({means.narrow(0, 0, n), means.narrow(0, n, n)}, 1) * scaling_factor;
}

at::Tensor to_pictures(const at::Tensor& image) {
  auto x = (image.to(at::kFloat) / 2 + 0.5).clamp_(0.0, 1.0);
  return x.mul_(255.0).round_().to(at::kByte).flip({1}).permute({0, 2, 3, 1}).contiguous();
}

} // namespace musetalk::models
