#include "models/networks/weight_loading.hpp"

#include "errors/error.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_strided.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/GradMode.h>

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>
#include <unordered_set>

namespace musetalk::models {

namespace {

constexpr size_t max_listed = 6;

/// A weight on a CPU of at least so many bytes has pages of its own.
constexpr size_t own_pages_bytes = 1 << 18;

constexpr std::array scalar_types = {at::kFloat, at::kHalf,  at::kBFloat16, at::kDouble, at::kLong,
                                     at::kInt,   at::kShort, at::kChar,     at::kByte,   at::kBool};

at::ScalarType scalar_type(element x) {
  return scalar_types[static_cast<size_t>(x)];
}

/// Adds `title: a, b, ... and n more` to a sentence.
void list_to(std::string& text, const std::string& title, const std::vector<std::string>& items) {
  if (items.empty())
    return;
  text += "; " + title + ": ";
  for (size_t i = 0; i < std::min(items.size(), max_listed); ++i)
    text += (i > 0 ? ", " : "") + items[i];
  if (items.size() > max_listed)
    text += " and " + std::to_string(items.size() - max_listed) + " more";
}

/// Every parameter and buffer by name.
std::map<std::string, at::Tensor> targets_of(torch::nn::Module& network) {
  auto all = std::map<std::string, at::Tensor>{};
  for (auto& x : network.named_parameters())
    all.emplace(x.key(), x.value());
  for (auto& x : network.named_buffers())
    all.emplace(x.key(), x.value());
  return all;
}

/// Whether `DataParallel` saved the file: every name starts with `module.`.
bool has_parallel_prefix(const checkpoint& source) {
  return std::all_of(source.tensors().begin(), source.tensors().end(),
                     [](const auto& x) { return x.name.starts_with("module."); });
}

/// Memory that goes back to the system with the tensor. What layers let go of when they have
/// brought it into oneDNN's order would leave holes in the heap, which what comes next does not
/// fit: a fifth of the network.
at::Tensor with_own_pages(at::IntArrayRef shape, const at::TensorOptions& options, size_t bytes) {
  auto* pages = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED)
    return at::empty(shape, options);
  auto give_back = [bytes](void* x) {
    ::munmap(x, bytes);
  };
  return at::from_blob(pages, shape, give_back, options);
}

/// Uninitialised, on a CPU in planes: there the layers bring weights into oneDNN's own order.
at::Tensor memory_for(const at::Tensor& values, at::ScalarType dtype, const placement& where) {
  auto options = values.options().device(where.device).dtype(dtype);
  auto bytes = static_cast<size_t>(values.numel()) * c10::elementSize(dtype);
  if (where.device.is_cpu() && bytes >= own_pages_bytes)
    return with_own_pages(values.sizes(), options, bytes);
  auto last = where.channels_last && !where.device.is_cpu() && values.dim() == 4;
  return at::empty(values.sizes(), options,
                   last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
}

at::Tensor placed(const at::Tensor& values, const placement& where) {
  auto dtype = values.is_floating_point() ? where.dtype : values.scalar_type();
  auto target = memory_for(values, dtype, where);
  target.copy_(values);
  return target;
}

/// A tensor over the mapped file where its bytes are aligned, else over a copy in `spare`.
at::Tensor borrow(checkpoint& source, const tensor_view& x, std::vector<std::byte>& spare) {
  auto bytes = source.storage_bytes(x);
  auto options = at::TensorOptions{}.dtype(scalar_type(x.type));
  if (element_count(x.shape) == 0)
    return at::empty(x.shape, options);
  auto* first = bytes.data() + static_cast<size_t>(x.offset) * size_of(x.type);
  if (reinterpret_cast<uintptr_t>(first) % size_of(x.type) == 0)
    return at::from_blob(const_cast<std::byte*>(first), x.shape, x.strides, options);
  spare = source.read(x);
  return at::from_blob(spare.data(), x.shape, options);
}

} // namespace

void load_weights(torch::nn::Module& network, checkpoint& source, const weight_names& names,
                  const placement& where) {
  c10::NoGradGuard no_grad;
  auto targets = targets_of(network);
  auto found = std::unordered_map<std::string, const tensor_view*>{};
  auto seen = std::unordered_set<std::string>{};
  auto missing = std::vector<std::string>{};
  auto unexpected = std::vector<std::string>{};
  auto misshaped = std::vector<std::string>{};
  auto parallel = has_parallel_prefix(source);
  for (const auto& x : source.tensors()) {
    auto name = parallel ? x.name.substr(std::string_view{"module."}.size()) : x.name;
    auto mapped = names.to_network ? names.to_network(name) : std::optional{name};
    if (!mapped)
      continue;
    auto target = targets.find(*mapped);
    if (target == targets.end())
      unexpected.push_back(x.name);
    else if (!seen.insert(*mapped).second)
      unexpected.push_back(x.name + " (a second time)");
    else if (target->second.sizes() != at::IntArrayRef{x.shape})
      misshaped.push_back(x.name + " " + to_string(x.shape) + " instead of " +
                          to_string(target->second.sizes().vec()));
    else
      found.emplace(*mapped, &x);
  }
  for (const auto& [name, target] : targets)
    if (!seen.count(name))
      missing.push_back(name);
  if (!missing.empty() || !unexpected.empty() || !misshaped.empty()) {
    auto text = source.name() + " does not fit the " + names.network;
    list_to(text, "missing", missing);
    list_to(text, "unexpected", unexpected);
    list_to(text, "of another shape", misshaped);
    throw error{errc::models_invalid, text + ". Get the file from " + names.source + "."};
  }
  auto spare = std::vector<std::byte>{};
  for (auto& [name, target] : targets) {
    const auto& x = *found.at(name);
    target.set_data(placed(borrow(source, x, spare), where));
    source.release(x);
  }
}

void place(torch::nn::Module& network, const placement& where) {
  c10::NoGradGuard no_grad;
  for (auto& [name, target] : targets_of(network))
    target.set_data(placed(target, where));
}

at::Tensor to_tensor(checkpoint& source, const tensor_view& x) {
  auto spare = std::vector<std::byte>{};
  return borrow(source, x, spare).clone();
}

uint64_t parameter_count(const torch::nn::Module& network) {
  auto count = uint64_t{0};
  for (const auto& x : network.parameters())
    count += static_cast<uint64_t>(x.numel());
  return count;
}

} // namespace musetalk::models
