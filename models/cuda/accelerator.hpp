#pragma once

#include <ATen/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace musetalk::models {

/// What the networks need of a device beyond LibTorch's tensors. `libmusetalk_cuda.so` implements
/// it and is loaded when a device is opened (`models/cuda/cuda_library.hpp`); tests implement it on
/// the CPU. Everything is called from one thread at a time. Errors are those of LibTorch.

/// Queues of a device. What is put into one runs in order; the queues run beside each other.
enum class device_queue : uint8_t {
  upload,   ///< Host to device.
  compute,  ///< Networks.
  download, ///< Device to host.
};

/// A point in a queue's work, once it is recorded there.
class device_event {
public:
  virtual ~device_event() = default;
};

/// Recorded work that is launched as a whole.
class device_graph {
public:
  virtual ~device_graph() = default;

  /// Puts the work into the compute queue, with the memory it was recorded with.
  virtual void launch() = 0;
};

/// Memory of a device, in bytes.
struct device_memory {
  uint64_t total = 0;
  uint64_t used = 0;     ///< By every process on the device.
  uint64_t reserved = 0; ///< Of that, by this process's tensors and LibTorch's cache for them.
};

class accelerator {
public:
  virtual ~accelerator() = default;

  virtual at::Device device() const = 0;

  /// As the driver calls it, with its compute capability.
  virtual std::string name() const = 0;

  virtual device_memory memory() const = 0;

  /// Host memory that copies to and from the device without stopping the host (pinned). Zeros.
  virtual at::Tensor host_tensor(at::IntArrayRef shape, at::ScalarType type) = 0;

  /// Calls `work` now, on this thread, with what LibTorch is asked for going through the compute
  /// queue. For networks that ask the device for values in between.
  virtual void call(const std::function<void()>& work) = 0;

  /// Puts what `work` asks LibTorch for into the queue. `work` asks for no values and owns what it
  /// uses: an implementation may call it later, as the device runs it later.
  virtual void enqueue(device_queue queue, std::function<void()> work) = 0;

  virtual std::unique_ptr<device_event> make_event() = 0;

  /// Marks the present end of a queue. An event can be recorded again once it has been waited for.
  virtual void record(device_event& event, device_queue queue) = 0;

  /// Lets the work that comes next into a queue wait for the event. The host goes on.
  virtual void wait(device_queue queue, device_event& event) = 0;

  /// Lets the host wait for the event, asleep.
  virtual void wait(device_event& event) = 0;

  /// Records `work`, which must ask the device for no values, without running it. It has to have
  /// run once before in the compute queue, so that nothing is set up while it is recorded. Memory
  /// of what it makes is kept for the graph, and shared by all graphs of the device: they run one
  /// after the other, and what a graph makes is to be copied from before the next is launched.
  virtual std::unique_ptr<device_graph> capture(std::function<void()> work) = 0;

  /// Lets the host wait for everything in all queues.
  virtual void drain() = 0;

  /// Gives memory back to the device that LibTorch keeps for later.
  virtual void release_unused() = 0;

  /// Whether an error has ended the device for this process. Forgets errors that have not.
  virtual bool lost() noexcept = 0;
};

} // namespace musetalk::models
