#include "models/networks/onednn.hpp"

#include <ATen/Context.h>
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>

namespace musetalk::models {

namespace {

thread_local int plain_depth = 0;

using scalars = c10::List<std::optional<at::Scalar>>;
using text = std::optional<std::string_view>;
using maybe = std::optional<at::Tensor>;

using reorder_convolution = at::Tensor(const at::Tensor&, at::IntArrayRef, at::IntArrayRef,
                                       at::IntArrayRef, int64_t, at::OptionalIntArrayRef);
using convolve = at::Tensor(const at::Tensor&, const at::Tensor&, const maybe&, at::IntArrayRef,
                            at::IntArrayRef, at::IntArrayRef, int64_t, std::string_view, scalars,
                            text);
using convolve_and_add = at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                    const maybe&, at::IntArrayRef, at::IntArrayRef, at::IntArrayRef,
                                    int64_t, std::string_view, std::optional<at::Scalar>, text,
                                    scalars, text);
using reorder_linear = at::Tensor(const at::Tensor&, std::optional<int64_t>);
using map_rows = at::Tensor(const at::Tensor&, const at::Tensor&, const maybe&, std::string_view,
                            scalars, text);

template <class Signature>
using handle = c10::TypedOperatorHandle<Signature>;

template <class Signature>
std::optional<handle<Signature>> find(const char* name, const char* overload = "") {
  auto schema = c10::Dispatcher::singleton().findSchema({name, overload});
  if (!schema)
    return std::nullopt;
  return schema->typed<Signature>();
}

struct operators {
  std::optional<handle<reorder_convolution>> pack_convolution =
      find<reorder_convolution>("mkldnn::_reorder_convolution_weight");
  std::optional<handle<convolve>> convolution = find<convolve>("mkldnn::_convolution_pointwise");
  std::optional<handle<convolve_and_add>> convolution_and_add =
      find<convolve_and_add>("mkldnn::_convolution_pointwise", "binary");
  std::optional<handle<reorder_linear>> pack_linear =
      find<reorder_linear>("mkldnn::_reorder_linear_weight");
  std::optional<handle<map_rows>> linear = find<map_rows>("mkldnn::_linear_pointwise");

  bool complete() const {
    return pack_convolution && convolution && convolution_and_add && pack_linear && linear;
  }
};

const operators& all() {
  static const auto list = operators{};
  return list;
}

bool processor_has_bf16() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq");
#else
  return false;
#endif
}

maybe optional(const at::Tensor& x) {
  return x.defined() ? maybe{x} : std::nullopt;
}

/// `gelu` is meant exactly, not by tanh.
text algorithm_of(std::string_view after) {
  return after == "gelu" ? text{"none"} : std::nullopt;
}

constexpr int64_t no_dilation[] = {1, 1};

} // namespace

plain_layers::plain_layers() noexcept {
  ++plain_depth;
}

plain_layers::~plain_layers() {
  --plain_depth;
}

bool may_be_fast(const at::Tensor& x) noexcept {
  return plain_depth == 0 && x.is_cpu() &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

namespace onednn {

bool available(at::ScalarType type) {
  static const auto usable = at::hasMKLDNN() && all().complete();
  static const auto bf16 = processor_has_bf16();
  return usable && (type == at::kFloat || (type == at::kBFloat16 && bf16));
}

at::Tensor pack_convolution(const at::Tensor& weight, const convolution_shape& shape,
                            at::IntArrayRef input) {
  return all().pack_convolution->call(weight, shape.padding, shape.stride, no_dilation,
                                      shape.groups, input);
}

at::Tensor convolution(const at::Tensor& x, const at::Tensor& packed, const at::Tensor& bias,
                       const convolution_shape& shape, const at::Tensor& addend,
                       std::string_view after) {
  if (!addend.defined())
    return all().convolution->call(x, packed, optional(bias), shape.padding, shape.stride,
                                   no_dilation, shape.groups, after, scalars{},
                                   algorithm_of(after));
  auto then = after == "none" ? text{} : text{after};
  return all().convolution_and_add->call(x, addend, packed, optional(bias), shape.padding,
                                         shape.stride, no_dilation, shape.groups, "add",
                                         std::nullopt, then, scalars{}, std::nullopt);
}

at::Tensor pack_linear(const at::Tensor& weight, int64_t rows) {
  return all().pack_linear->call(weight, rows);
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& packed, const at::Tensor& bias,
                  std::string_view after) {
  return all().linear->call(x, packed, optional(bias), after, scalars{}, algorithm_of(after));
}

} // namespace onednn

} // namespace musetalk::models
