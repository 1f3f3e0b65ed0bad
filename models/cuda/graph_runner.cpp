#include "models/cuda/batch_runner.hpp"

#include "errors/error.hpp"
#include "models/cuda/slot_ring.hpp"

#include <ATen/Context.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>

#include <array>
#include <map>

namespace musetalk::models {

namespace {

using tensors = std::vector<at::Tensor>;

/// Runs before a recording: the first sets up libraries and measures algorithms, the second takes
/// the memory that the rest will take.
constexpr int runs_before_recording = 2;

/// The first `n` items of each; views.
tensors first_items(const tensors& all, size_t n) {
  auto list = tensors{};
  for (const auto& x : all)
    list.push_back(x.narrow(0, 0, static_cast<int64_t>(n)));
  return list;
}

/// Copies without stopping the host, where host memory is pinned.
void copy(const tensors& from, const tensors& to) {
  for (size_t i = 0; i < from.size(); ++i)
    to[i].copy_(from[i], true);
}

/// Lets cuDNN measure its algorithms for a shape when it first sees it. What a graph recorded stays
/// in it.
class measured_algorithms {
public:
  measured_algorithms() { at::globalContext().setBenchmarkCuDNN(true); }
  measured_algorithms(const measured_algorithms&) = delete;
  measured_algorithms& operator=(const measured_algorithms&) = delete;
  ~measured_algorithms() { at::globalContext().setBenchmarkCuDNN(before_); }

private:
  bool before_ = at::globalContext().benchmarkCuDNN();
};

/// The host and device memory of one execution, and how far it has come.
struct slot {
  tensors host_in, host_out, device_in, device_out;
  std::unique_ptr<device_event> uploaded, computed, downloaded;
};

/// An execution, with `slot` the double buffer it was given and `fixed` the memory that graphs
/// know:
///
///     upload:    slot.host_in -> slot.device_in
///     compute:   slot.device_in -> fixed in, graph, fixed out -> slot.device_out
///     download:  slot.device_out -> slot.host_out
///
/// Each waits for an event of the one before. A slot comes back only after its download, so nothing
/// needs to wait the other way.
class graph_runner final : public batch_runner {
public:
  graph_runner(std::shared_ptr<accelerator> gpu, batch_work work)
      : gpu_(std::move(gpu)), work_(std::move(work)) {
    // nop
  }

  ~graph_runner() override { abandon(); }

  size_t warm_up(size_t max_batch) override {
    c10::InferenceMode inference;
    auto wanted = batch_buckets::to_prepare(max_batch);
    if (wanted.front() > capacity_)
      reserve(wanted.front());
    for (auto size : wanted)
      if (buckets_.holding(size) != size)
        prepare(size);
    if (buckets_.largest() == 0)
      TORCH_CHECK_WITH(OutOfMemoryError, false, note());
    return buckets_.largest();
  }

  size_t limit() override {
    return buckets_.largest() > 0 ? buckets_.largest() : warm_up(batch_buckets::all().back());
  }

  void submit(size_t n, const host_access& fill) override {
    c10::InferenceMode inference;
    if (n == 0 || n > limit())
      throw error{errc::internal, "an execution of " + std::to_string(n) +
                                      " items was asked for; the limit is " +
                                      std::to_string(limit())};
    auto& x = slots_[ring_.begin(n)];
    try {
      fill(first_items(x.host_in, n));
      enqueue(x, n);
    } catch (...) {
      settle();
      ring_.cancel();
      throw;
    }
  }

  void collect(const host_access& take) override {
    c10::InferenceMode inference;
    auto& x = slots_[ring_.oldest()];
    auto n = ring_.oldest_count();
    // Whatever comes of it, the execution is gone.
    auto release = std::unique_ptr<slot_ring, void (*)(slot_ring*)>{&ring_, [](slot_ring* ring) {
                                                                      ring->end();
                                                                    }};
    gpu_->wait(*x.downloaded);
    take(first_items(x.host_out, n));
  }

  size_t under_way() const noexcept override { return ring_.under_way(); }

  void abandon() noexcept override {
    settle();
    ring_.clear();
  }

  std::vector<size_t> graph_batches() const override {
    auto list = std::vector<size_t>{};
    for (const auto& x : graphs_)
      list.push_back(x.first);
    return list;
  }

  std::string note() const override {
    auto text = std::string{};
    for (const auto& [size, what] : notes_)
      text += (text.empty() ? "batch " : "; batch ") + std::to_string(size) + " " + what;
    return text;
  }

private:
  tensors device_tensors(const std::vector<item_tensor>& items) const {
    auto list = tensors{};
    for (const auto& x : items)
      list.push_back(at::zeros(x.shape_of(capacity_),
                               at::TensorOptions{}.dtype(x.type).device(gpu_->device())));
    return list;
  }

  tensors host_tensors(const std::vector<item_tensor>& items) const {
    auto list = tensors{};
    for (const auto& x : items)
      list.push_back(gpu_->host_tensor(x.shape_of(capacity_), x.type));
    return list;
  }

  /// Takes the memory for batches of up to `size`, and forgets graphs that know other memory.
  void reserve(size_t size) {
    if (ring_.under_way() > 0)
      throw error{errc::internal, "what was submitted has to be collected before a warm-up"};
    graphs_.clear();
    buckets_ = {};
    capacity_ = size;
    gpu_->call([this] {
      fixed_in_ = device_tensors(work_.inputs);
      fixed_out_ = device_tensors(work_.outputs);
      for (auto& x : slots_)
        x = {host_tensors(work_.inputs),
             host_tensors(work_.outputs),
             device_tensors(work_.inputs),
             device_tensors(work_.outputs),
             gpu_->make_event(),
             gpu_->make_event(),
             gpu_->make_event()};
    });
    gpu_->drain();
  }

  void run(size_t size) const {
    copy(work_.run(first_items(fixed_in_, size)), first_items(fixed_out_, size));
  }

  /// Makes a batch size ready. One that does not fit the device's memory is left out; one that
  /// cannot be recorded for another reason is run step by step.
  void prepare(size_t size) {
    auto measured = measured_algorithms{};
    notes_.erase(size);
    try {
      for (auto i = 0; i < runs_before_recording; ++i)
        gpu_->call([&] { run(size); });
      gpu_->drain();
      record(size);
      buckets_.add(size);
    } catch (const c10::OutOfMemoryError&) {
      notes_[size] = "does not fit the device's memory";
      settle();
      gpu_->release_unused();
    }
  }

  void record(size_t size) {
    try {
      graphs_[size] = gpu_->capture([this, size] { run(size); });
    } catch (const c10::OutOfMemoryError&) {
      graphs_.erase(size);
      throw;
    } catch (const c10::Error& e) {
      graphs_.erase(size);
      if (gpu_->lost())
        throw;
      notes_[size] = std::string{"has no graph: "} + e.what_without_backtrace();
      // That it still runs step by step is to be known now.
      gpu_->call([&] { run(size); });
      gpu_->drain();
    }
  }

  void enqueue(slot& x, size_t n) {
    auto size = buckets_.holding(n);
    gpu_->enqueue(device_queue::upload, [from = first_items(x.host_in, n),
                                         to = first_items(x.device_in, n)] { copy(from, to); });
    gpu_->record(*x.uploaded, device_queue::upload);
    gpu_->wait(device_queue::compute, *x.uploaded);
    // The rest of the batch is what an earlier one left there: items do not see each other.
    gpu_->enqueue(device_queue::compute, [from = first_items(x.device_in, n),
                                          to = first_items(fixed_in_, n)] { copy(from, to); });
    if (auto graph = graphs_.find(size); graph != graphs_.end())
      graph->second->launch();
    else
      gpu_->enqueue(device_queue::compute, [this, size] {
        auto measured = measured_algorithms{};
        run(size);
      });
    gpu_->enqueue(device_queue::compute, [from = first_items(fixed_out_, n),
                                          to = first_items(x.device_out, n)] { copy(from, to); });
    gpu_->record(*x.computed, device_queue::compute);
    gpu_->wait(device_queue::download, *x.computed);
    gpu_->enqueue(device_queue::download, [from = first_items(x.device_out, n),
                                           to = first_items(x.host_out, n)] { copy(from, to); });
    gpu_->record(*x.downloaded, device_queue::download);
  }

  /// Waits until the device has let go of every slot; a device that is lost has.
  void settle() noexcept {
    try {
      gpu_->drain();
    } catch (const std::exception&) {
      // nop
    }
  }

  std::shared_ptr<accelerator> gpu_;
  batch_work work_;
  size_t capacity_ = 0; ///< Items that fixed memory and slots hold.
  tensors fixed_in_, fixed_out_;
  std::array<slot, slot_ring::slots> slots_;
  slot_ring ring_;
  batch_buckets buckets_;
  std::map<size_t, std::unique_ptr<device_graph>> graphs_;
  std::map<size_t, std::string> notes_; ///< What did not go as wished, by batch size.
};

} // namespace

std::unique_ptr<batch_runner> make_graph_runner(std::shared_ptr<accelerator> gpu, batch_work work) {
  return std::make_unique<graph_runner>(std::move(gpu), std::move(work));
}

} // namespace musetalk::models
