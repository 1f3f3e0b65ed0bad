#pragma once

#include "models/cuda/accelerator.hpp"

#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>

#include <array>
#include <deque>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace musetalk::models::testing {

/// A device on the CPU that is as late as a device may be: its queues run nothing until the host
/// waits, and then in an order drawn by a seed, which only events bind. What does not wait for its
/// event goes wrong with some seed.
class deferred_device final : public accelerator {
public:
  explicit deferred_device(unsigned seed = 0) : random_(seed) {
    // nop
  }

  std::string capture_failure; ///< When not empty: nothing can be recorded, because of this.
  bool is_lost = false;
  int graphs = 0; ///< Recorded.

  at::Device device() const override { return at::kCPU; }
  std::string name() const override { return "deferred"; }
  device_memory memory() const override { return {80'000, 30'000, 20'000}; }

  at::Tensor host_tensor(at::IntArrayRef shape, at::ScalarType type) override {
    return at::zeros(shape, type);
  }

  void call(const std::function<void()>& work) override {
    drain();
    work();
  }

  void enqueue(device_queue queue, std::function<void()> work) override {
    of(queue).push_back({std::move(work), nullptr, nullptr, 0});
  }

  std::unique_ptr<device_event> make_event() override { return std::make_unique<moment>(); }

  void record(device_event& event, device_queue queue) override {
    auto& x = static_cast<moment&>(event);
    of(queue).push_back({{}, &x, nullptr, ++x.recorded});
  }

  void wait(device_queue queue, device_event& event) override {
    auto& x = static_cast<moment&>(event);
    of(queue).push_back({{}, nullptr, &x, x.recorded});
  }

  void wait(device_event& event) override {
    auto& x = static_cast<moment&>(event);
    while (x.reached < x.recorded)
      TORCH_CHECK(step(), "the host waits for ever");
  }

  std::unique_ptr<device_graph> capture(std::function<void()> work) override {
    drain();
    TORCH_CHECK(capture_failure.empty(), capture_failure);
    ++graphs;
    return std::make_unique<graph>(*this, std::move(work));
  }

  void drain() override {
    while (step()) {
      // nop
    }
    for (const auto& queue : queues_)
      TORCH_CHECK(queue.empty(), "a queue waits for ever");
  }

  void release_unused() override {}

  bool lost() noexcept override { return is_lost; }

private:
  struct moment final : device_event {
    uint64_t recorded = 0, reached = 0;
  };

  struct task {
    std::function<void()> work;
    moment* reaches;
    moment* awaits;
    uint64_t count;
  };

  class graph final : public device_graph {
  public:
    graph(deferred_device& device, std::function<void()> work)
        : device_(device), work_(std::move(work)) {
      // nop
    }
    void launch() override { device_.enqueue(device_queue::compute, work_); }

  private:
    deferred_device& device_;
    std::function<void()> work_;
  };

  std::deque<task>& of(device_queue queue) { return queues_[static_cast<size_t>(queue)]; }

  /// Runs the front of a queue that can go on. @returns Whether there was one.
  bool step() {
    auto ready = std::vector<std::deque<task>*>{};
    for (auto& queue : queues_)
      if (!queue.empty() &&
          !(queue.front().awaits && queue.front().awaits->reached < queue.front().count))
        ready.push_back(&queue);
    if (ready.empty())
      return false;
    auto& queue = *ready[random_() % ready.size()];
    auto next = std::move(queue.front());
    queue.pop_front();
    // A device knows nothing of LibTorch's modes.
    c10::InferenceMode inference;
    if (next.work)
      next.work();
    if (next.reaches)
      next.reaches->reached = next.count;
    return true;
  }

  std::array<std::deque<task>, 3> queues_;
  std::mt19937 random_;
};

} // namespace musetalk::models::testing
