#pragma once

#include "actors/device_work.hpp"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <iterator>
#include <utility>
#include <vector>

namespace musetalk::actors {

/// A request in the device's queue.
struct waiting_work {
  job_id job;
  work_class priority = work_class::create;
  device_request request;
  size_t most = 0;    ///< Inputs of it that one execution may have, whatever the memory.
  bool alone = false; ///< An execution with others failed: share none again.
};

/// By class, then by arrival.
using device_queue = std::deque<waiting_work>;

/// A run of one request's inputs inside an execution.
struct slice {
  size_t index; ///< Of the request in the queue.
  size_t count; ///< Frames.
};

inline size_t left(const waiting_work& x) {
  return left(x.request);
}

/// Queues a request behind those of its class.
void put(device_queue& queue, waiting_work x);

/// What the next execution does: whole requests of the head's class and kind, so that each is
/// answered as early as can be; only a head that is larger than the limit is cut. Requests of other
/// kinds are passed over: they lose no turn by it, for the head's execution comes before theirs
/// anyway.
/// @param queue Not empty. @param limit Frames that fit the memory, at least 1.
std::vector<slice> plan(const device_queue& queue, size_t limit);

template <class Kind>
request_of<Kind>& request_at(device_queue& queue, size_t index) {
  return std::get<request_of<Kind>>(queue[index].request);
}

/// The inputs of an execution.
template <class Kind>
std::vector<typename Kind::input> gather(device_queue& queue, const std::vector<slice>& slices) {
  auto result = std::vector<typename Kind::input>{};
  for (const auto& x : slices) {
    const auto& request = request_at<Kind>(queue, x.index);
    auto first = request.inputs.begin() + std::ssize(request.outputs);
    std::copy_n(first, x.count, std::back_inserter(result));
  }
  return result;
}

/// Gives the outputs to their requests and answers those that are complete.
template <class Kind>
void deal_out(device_queue& queue, const std::vector<slice>& slices,
              std::vector<typename Kind::output> outputs) {
  auto from = outputs.begin();
  for (const auto& x : slices) {
    auto& target = request_at<Kind>(queue, x.index).outputs;
    auto to = from + static_cast<ptrdiff_t>(x.count);
    target.insert(target.end(), std::make_move_iterator(from), std::make_move_iterator(to));
    from = to;
  }
  for (const auto& x : slices)
    if (auto& done = request_at<Kind>(queue, x.index); left(queue[x.index]) == 0) {
      done.reply.deliver(std::move(done.outputs));
      done = {};
    }
  // Backwards, so that the places of the others stay what they are. A head that was cut stays.
  for (auto x = slices.rbegin(); x != slices.rend(); ++x)
    if (left(queue[x->index]) == 0)
      queue.erase(queue.begin() + static_cast<ptrdiff_t>(x->index));
}

} // namespace musetalk::actors
