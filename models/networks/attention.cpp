#include "models/networks/attention.hpp"

#include "models/networks/onednn.hpp"

#include <ATen/ops/_softmax.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include <cmath>

namespace musetalk::models {

namespace {

/// Scores of one head from which on it pays, and up to which they fit the caches.
constexpr int64_t least_scores = int64_t{1} << 20, most_scores = int64_t{1} << 23;

bool fused_kernel_is_fast() {
#if defined(__x86_64__)
  static const auto amx = __builtin_cpu_supports("amx-bf16") != 0;
  return amx;
#else
  return true;
#endif
}

bool goes_by_heads(const at::Tensor& q, const at::Tensor& k) {
  auto scores = q.size(2) * k.size(2);
  return scores >= least_scores && scores <= most_scores && q.scalar_type() == at::kBFloat16 &&
         may_be_fast(q) && onednn::available(at::kBFloat16) && !fused_kernel_is_fast();
}

} // namespace

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  if (!goes_by_heads(q, k))
    return at::scaled_dot_product_attention(q, k, v);
  auto n = q.size(0), heads = q.size(1), steps = q.size(2), width = q.size(3);
  auto scaled = q / std::sqrt(static_cast<double>(width));
  auto scores = at::empty({steps, k.size(2)}, q.options());
  auto result = at::empty({n, heads, steps, width}, q.options());
  for (int64_t i = 0; i < n; ++i)
    for (int64_t h = 0; h < heads; ++h) {
      at::mm_out(scores, scaled[i][h], k[i][h].t());
      at::_softmax_out(scores, scores, 1, false);
      auto to = result[i][h];
      at::mm_out(to, scores, v[i][h]);
    }
  return result;
}

} // namespace musetalk::models
