// libmusetalk_cuda.so: the only code that includes CUDA's headers. Nothing links against it; it is
// loaded where there is a driver (cuda_library.cpp). It throws what LibTorch throws.

#include "models/cuda/cuda_entry.hpp"

#include <ATen/Context.h>
#include <ATen/cuda/CUDAGraph.h>
#include <ATen/ops/empty.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <cuda_runtime_api.h>

#include <exception>
#include <utility>

namespace musetalk::models {

namespace {

namespace allocator = c10::cuda::CUDACachingAllocator;

class cuda_event final : public device_event {
public:
  cuda_event() {
    // Blocking: the host sleeps while it waits instead of spinning on a core.
    C10_CUDA_CHECK(
        cudaEventCreateWithFlags(&event_, cudaEventDisableTiming | cudaEventBlockingSync));
  }

  cuda_event(const cuda_event&) = delete;
  cuda_event& operator=(const cuda_event&) = delete;

  ~cuda_event() override { C10_CUDA_IGNORE_ERROR(cudaEventDestroy(event_)); }

  cudaEvent_t get() const noexcept { return event_; }

private:
  cudaEvent_t event_ = nullptr;
};

cudaEvent_t handle_of(device_event& event) {
  return static_cast<cuda_event&>(event).get();
}

/// Memory that graphs share. Lives as long as one of them: LibTorch refuses a pool that no graph
/// uses any more.
using graph_pool = std::shared_ptr<const c10::MempoolId_t>;

class cuda_graph final : public device_graph {
public:
  /// @param stream The compute queue.
  cuda_graph(c10::cuda::CUDAStream stream, graph_pool pool)
      : stream_(stream), pool_(std::move(pool)) {
    // nop
  }

  /// To be called once, with the stream current.
  void record(const std::function<void()>& work) {
    try {
      // Only this thread's calls can spoil the recording.
      graph_.capture_begin(*pool_, cudaStreamCaptureModeThreadLocal);
      work();
      graph_.capture_end();
    } catch (...) {
      auto why = std::current_exception();
      stop_recording();
      std::rethrow_exception(why);
    }
  }

  void launch() override {
    auto current = c10::cuda::CUDAStreamGuard{stream_};
    graph_.replay();
  }

private:
  /// Leaves stream and allocator as they were before a recording that failed, most likely because
  /// memory ran out. `capture_end` of a spoilt recording throws before it tells the allocator.
  void stop_recording() noexcept {
    try {
      graph_.capture_end();
    } catch (...) {
      try {
        allocator::endAllocateToPool(stream_.device_index(), *pool_);
        allocator::releasePool(stream_.device_index(), *pool_);
      } catch (...) {
        // It was told: the recording itself was good, and the graph's destructor does the rest.
      }
    }
    C10_CUDA_CLEAR_ERROR();
  }

  c10::cuda::CUDAStream stream_;
  graph_pool pool_; // Outlives `graph_`, which gives its share back.
  at::cuda::CUDAGraph graph_;
};

class cuda_accelerator final : public accelerator {
public:
  explicit cuda_accelerator(c10::DeviceIndex index)
      : index_(index), upload_(c10::cuda::getStreamFromPool(false, index)),
        compute_(c10::cuda::getStreamFromPool(false, index)),
        download_(c10::cuda::getStreamFromPool(false, index)) {
    auto current = c10::cuda::CUDAGuard{index_};
    auto properties = cudaDeviceProp{};
    C10_CUDA_CHECK(cudaGetDeviceProperties(&properties, index_));
    name_ = properties.name;
  }

  ~cuda_accelerator() override {
    C10_CUDA_IGNORE_ERROR(cudaSetDevice(index_));
    C10_CUDA_IGNORE_ERROR(cudaDeviceSynchronize());
  }

  at::Device device() const override { return {at::kCUDA, index_}; }

  std::string name() const override { return name_; }

  device_memory memory() const override {
    auto current = c10::cuda::CUDAGuard{index_};
    size_t free = 0, total = 0;
    C10_CUDA_CHECK(cudaMemGetInfo(&free, &total));
    auto stats = allocator::getDeviceStats(index_);
    constexpr auto all = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    return {total, total - free, static_cast<uint64_t>(stats.reserved_bytes[all].current)};
  }

  at::Tensor host_tensor(at::IntArrayRef shape, at::ScalarType type) override {
    auto current = c10::cuda::CUDAGuard{index_};
    return at::empty(shape, at::TensorOptions{}.dtype(type).pinned_memory(true)).zero_();
  }

  void call(const std::function<void()>& work) override {
    auto current = c10::cuda::CUDAStreamGuard{compute_};
    work();
  }

  void enqueue(device_queue queue, std::function<void()> work) override {
    auto current = c10::cuda::CUDAStreamGuard{stream(queue)};
    work();
  }

  std::unique_ptr<device_event> make_event() override {
    auto current = c10::cuda::CUDAGuard{index_};
    return std::make_unique<cuda_event>();
  }

  void record(device_event& event, device_queue queue) override {
    auto current = c10::cuda::CUDAGuard{index_};
    C10_CUDA_CHECK(cudaEventRecord(handle_of(event), stream(queue).stream()));
  }

  void wait(device_queue queue, device_event& event) override {
    auto current = c10::cuda::CUDAGuard{index_};
    C10_CUDA_CHECK(cudaStreamWaitEvent(stream(queue).stream(), handle_of(event), 0));
  }

  void wait(device_event& event) override {
    auto current = c10::cuda::CUDAGuard{index_};
    C10_CUDA_CHECK(cudaEventSynchronize(handle_of(event)));
  }

  std::unique_ptr<device_graph> capture(std::function<void()> work) override {
    auto current = c10::cuda::CUDAStreamGuard{compute_};
    drain();
    // A graph's memory is its own: what was cached for work outside is of no use to it.
    release_unused();
    auto pool = pool_.lock();
    if (!pool)
      pool_ = pool = std::make_shared<const c10::MempoolId_t>(at::cuda::graph_pool_handle());
    auto graph = std::make_unique<cuda_graph>(compute_, std::move(pool));
    graph->record(work);
    return graph;
  }

  void drain() override {
    auto current = c10::cuda::CUDAGuard{index_};
    c10::cuda::device_synchronize();
  }

  void release_unused() override {
    auto current = c10::cuda::CUDAGuard{index_};
    allocator::emptyCache();
  }

  bool lost() noexcept override {
    C10_CUDA_IGNORE_ERROR(cudaSetDevice(index_));
    // An error of one call is gone once it is read; one that has ended the context comes back.
    C10_CUDA_IGNORE_ERROR(cudaDeviceSynchronize());
    C10_CUDA_CLEAR_ERROR();
    auto state = cudaDeviceSynchronize();
    C10_CUDA_CLEAR_ERROR();
    return state != cudaSuccess;
  }

private:
  c10::cuda::CUDAStream stream(device_queue queue) const {
    switch (queue) {
    case device_queue::upload:
      return upload_;
    case device_queue::download:
      return download_;
    case device_queue::compute:
      break;
    }
    return compute_;
  }

  c10::DeviceIndex index_;
  c10::cuda::CUDAStream upload_;
  c10::cuda::CUDAStream compute_;
  c10::cuda::CUDAStream download_;
  std::string name_;
  std::weak_ptr<const c10::MempoolId_t> pool_;
};

} // namespace

} // namespace musetalk::models

int musetalk_cuda_version() {
  return musetalk::models::cuda_interface_version;
}

musetalk::models::accelerator* musetalk_cuda_open(int index) {
  auto count = c10::cuda::device_count_ensure_non_zero();
  TORCH_CHECK(index >= 0 && index < count, "there are ", int{count},
              " CUDA devices, none is cuda:", index);
  // Hooks, generators and allocator of LibTorch; what comes after uses them without asking.
  at::globalContext().lazyInitDevice(at::kCUDA);
  return new musetalk::models::cuda_accelerator{static_cast<c10::DeviceIndex>(index)};
}
