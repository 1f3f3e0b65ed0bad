#include "models/networks/recorder.hpp"

namespace musetalk::models {

namespace {

thread_local recorder* active = nullptr;

} // namespace

recorder::recorder(const torch::nn::Module& network) {
  for (const auto& x : network.named_modules())
    names_.emplace(x.value().get(), x.key());
  active = this;
}

recorder::~recorder() {
  active = nullptr;
}

recorder* recorder::current() noexcept {
  return active;
}

void recorder::keep(const torch::nn::Module& module, const at::Tensor& value) {
  if (auto it = names_.find(&module); it != names_.end())
    values_.insert_or_assign(it->second, value.clone());
}

} // namespace musetalk::models
