#include "models/cuda/batch_runner.hpp"

#include "errors/error.hpp"
#include "models/cuda/slot_ring.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <array>
#include <limits>

namespace musetalk::models {

namespace {

static_assert(slot_ring::slots == max_under_way);

class direct_runner final : public batch_runner {
public:
  direct_runner(at::Device device, batch_work work) : device_(device), work_(std::move(work)) {
    // nop
  }

  size_t warm_up(size_t max_batch) override {
    c10::InferenceMode inference;
    auto inputs = std::vector<at::Tensor>{};
    for (const auto& x : work_.inputs)
      inputs.push_back(at::zeros(x.shape_of(1), at::TensorOptions{}.dtype(x.type).device(device_)));
    work_.run(inputs);
    return max_batch;
  }

  size_t limit() override { return std::numeric_limits<size_t>::max(); }

  void submit(size_t n, const host_access& fill) override {
    c10::InferenceMode inference;
    auto slot = ring_.begin(n);
    try {
      auto inputs = std::vector<at::Tensor>{};
      for (const auto& x : work_.inputs)
        inputs.push_back(at::empty(x.shape_of(n), x.type));
      fill(inputs);
      for (auto& x : inputs)
        x = x.to(device_);
      made_[slot] = work_.run(inputs);
    } catch (...) {
      ring_.cancel();
      throw;
    }
  }

  void collect(const host_access& take) override {
    c10::InferenceMode inference;
    auto made = std::move(made_[ring_.oldest()]);
    ring_.end();
    for (auto& x : made)
      x = x.to(at::kCPU).contiguous();
    take(made);
  }

  size_t under_way() const noexcept override { return ring_.under_way(); }

  void abandon() noexcept override { ring_.clear(); }

  std::vector<size_t> graph_batches() const override { return {}; }

  std::string note() const override { return {}; }

private:
  at::Device device_;
  batch_work work_;
  slot_ring ring_;
  std::array<std::vector<at::Tensor>, slot_ring::slots> made_;
};

} // namespace

std::vector<int64_t> item_tensor::shape_of(size_t n) const {
  auto result = std::vector<int64_t>{static_cast<int64_t>(n)};
  result.insert(result.end(), shape.begin(), shape.end());
  return result;
}

std::unique_ptr<batch_runner> make_direct_runner(at::Device device, batch_work work) {
  return std::make_unique<direct_runner>(device, std::move(work));
}

std::unique_ptr<batch_runner> make_batch_runner(const opened_device& device, batch_work work) {
  return device.gpu ? make_graph_runner(device.gpu, std::move(work))
                    : make_direct_runner(device.where.device, std::move(work));
}

void run_in_parts(batch_runner& runner, size_t n, const std::function<void(batch_part)>& submit,
                  const std::function<void()>& collect) {
  if (runner.under_way() > 0)
    throw error{errc::internal, "what was submitted has to be collected first"};
  try {
    for (auto part : cut_batches(n, runner.limit())) {
      if (runner.under_way() == max_under_way)
        collect();
      submit(part);
    }
    while (runner.under_way() > 0)
      collect();
  } catch (...) {
    runner.abandon();
    throw;
  }
}

} // namespace musetalk::models
