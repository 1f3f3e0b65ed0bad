#include "models/precision_choice.hpp"

#include "models/networks/onednn.hpp"

#include <ATen/TensorOperators.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace musetalk::models {

namespace {

constexpr auto runs = 3;
constexpr double enough_ms = 500;
constexpr double worth_it = 0.9;

struct trial {
  at::Tensor output;
  double best_ms = 1e300;
};

trial run(const network_part& part, at::ScalarType type) {
  using clock = std::chrono::steady_clock;
  auto work = part(type);
  auto result = trial{work()}; // weights are brought into their order
  auto spent_ms = 0.0;
  for (auto i = 0; i < runs && spent_ms < enough_ms; ++i) {
    auto start = clock::now();
    work();
    auto ms = std::chrono::duration<double, std::milli>(clock::now() - start).count();
    result.best_ms = std::min(result.best_ms, ms);
    spent_ms += ms;
  }
  return result;
}

double relative_error(const at::Tensor& got, const at::Tensor& wanted) {
  auto apart = got.to(at::kDouble) - wanted.to(at::kDouble);
  return (apart.square().mean() / wanted.to(at::kDouble).square().mean()).sqrt().item<double>();
}

} // namespace

precision_choice choose_precision(const network_part& part) {
  if (!onednn::available(at::kBFloat16))
    return {precision::float32, "this processor has no bf16"};
  c10::InferenceMode inference;
  auto fp32 = run(part, at::kFloat), bf16 = run(part, at::kBFloat16);
  auto error = relative_error(bf16.output, fp32.output);
  // Written so that NaN decides for fp32.
  auto take = bf16.best_ms <= worth_it * fp32.best_ms && error <= bf16_bound;
  char reason[128];
  std::snprintf(reason, sizeof reason,
                "bf16 takes %.0f ms where fp32 takes %.0f, and is %.2f %% off", bf16.best_ms,
                fp32.best_ms, 100 * error);
  return {take ? precision::bfloat16 : precision::float32, reason};
}

} // namespace musetalk::models
