#pragma once

#include "models/cuda/batch_buckets.hpp"
#include "models/device.hpp"

#include <ATen/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace musetalk::models {

/// One item's share of a tensor: its shape without the batch.
struct item_tensor {
  std::vector<int64_t> shape;
  at::ScalarType type = at::kFloat;

  /// The shape of `n` items together.
  std::vector<int64_t> shape_of(size_t n) const;
};

/// What an execution takes and makes, and how.
struct batch_work {
  std::vector<item_tensor> inputs;
  std::vector<item_tensor> outputs;
  /// From `[n, shape...]` of each input to `[n, shape...]` of each output, on the device. Items do
  /// not see each other: some may be padding. Asks the device for no values, so that it can be
  /// recorded.
  std::function<std::vector<at::Tensor>(const std::vector<at::Tensor>&)> run;
};

/// Lets the caller write inputs or read outputs in host memory, `[n, shape...]` each, contiguous.
using host_access = std::function<void(const std::vector<at::Tensor>& rows)>;

/// Runs batches of one kind of work on a device, two under way at most. Not thread-safe. Throws
/// what LibTorch throws (`on_device` turns it into ours), and musetalk::error `internal` for wrong
/// use.
class batch_runner {
public:
  virtual ~batch_runner() = default;

  /// Makes ready for batches of up to `max_batch`. @returns Items of one execution at most.
  virtual size_t warm_up(size_t max_batch) = 0;

  /// Items of one execution at most; warms up for the largest batch when nothing has.
  virtual size_t limit() = 0;

  /// Begins an execution of `n` items once `fill` has written its inputs.
  virtual void submit(size_t n, const host_access& fill) = 0;

  /// Waits for the oldest execution and shows its outputs; the memory is used again afterwards.
  virtual void collect(const host_access& take) = 0;

  /// Executions submitted and not collected.
  virtual size_t under_way() const noexcept = 0;

  /// Forgets what is under way, once the device has let go of it.
  virtual void abandon() noexcept = 0;

  /// Batches that have a graph, ascending.
  virtual std::vector<size_t> graph_batches() const = 0;

  /// For the log: what did not go as wished. Empty when nothing.
  virtual std::string note() const = 0;
};

/// Executions under way at most.
inline constexpr size_t max_under_way = 2;

/// Runs each batch when it is submitted, with the size it has: for a CPU.
std::unique_ptr<batch_runner> make_direct_runner(at::Device device, batch_work work);

/// Runs batches through graphs and double buffers, so that the device never waits for the host:
/// while it computes one batch, the next is on its way in and the one before on its way out.
std::unique_ptr<batch_runner> make_graph_runner(std::shared_ptr<accelerator> gpu, batch_work work);

/// The runner that fits the device.
std::unique_ptr<batch_runner> make_batch_runner(const opened_device& device, batch_work work);

/// Runs `n` items in as many executions as the runner needs, each submitted before the one before
/// it is collected. When one fails, what is under way is abandoned.
/// @param submit Called for each part, in order. @param collect Called for each part, in order.
void run_in_parts(batch_runner& runner, size_t n, const std::function<void(batch_part)>& submit,
                  const std::function<void()>& collect);

/// The same, with what the parts made put together.
/// @param collect Gives what one part made, an item each.
template <class Submit, class Collect>
auto gather_in_parts(batch_runner& runner, size_t n, Submit&& submit, Collect&& collect) {
  auto result = decltype(collect()){};
  result.reserve(n);
  run_in_parts(runner, n, submit, [&] {
    auto made = collect();
    std::move(made.begin(), made.end(), std::back_inserter(result));
  });
  return result;
}

} // namespace musetalk::models
