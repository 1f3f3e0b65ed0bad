#pragma once

#include "actors/device_work.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <utility>
#include <vector>

namespace musetalk::actors {

/// A request in the device's queue. It stays there until it is answered.
struct waiting_work {
  uint64_t ticket = 0; ///< Names it: places change while its execution is under way.
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
  uint64_t ticket; ///< Of the request.
  size_t count;    ///< Frames.
};

/// An execution that has begun.
struct execution {
  size_t kind = 0; ///< Of its requests.
  std::vector<slice> slices;
  std::chrono::steady_clock::time_point began{};

  size_t frames() const noexcept;
};

/// Inputs that no execution has been given.
inline size_t left(const waiting_work& x) {
  return left(x.request);
}

/// Queues a request behind those of its class.
void put(device_queue& queue, waiting_work x);

/// The request whose turn it is, the first with inputs left, or the end.
device_queue::iterator next_in(device_queue& queue);

/// The request of a ticket, or the end when it has been withdrawn.
device_queue::iterator find(device_queue& queue, uint64_t ticket);

/// Requests with inputs left.
size_t count_waiting(const device_queue& queue);

/// What the next execution does: whole requests of the head's class and kind, so that each is
/// answered as early as can be; only a head that is larger than the limit is cut. Requests of other
/// kinds are passed over: they lose no turn by it, for the head's execution comes before theirs
/// anyway.
/// @param head By `next_in`, not the end. @param limit Frames that fit the memory, at least 1.
std::vector<slice> plan(device_queue& queue, device_queue::iterator head, size_t limit);

/// Lets every request be executed from its first missing output on: what was under way has failed.
void begin_again(device_queue& queue);

template <class Kind>
request_of<Kind>& request_at(device_queue::iterator x) {
  return std::get<request_of<Kind>>(x->request);
}

/// The inputs of an execution; from now on it has them.
template <class Kind>
std::vector<typename Kind::input> gather(device_queue& queue, const std::vector<slice>& slices) {
  auto result = std::vector<typename Kind::input>{};
  for (const auto& x : slices) {
    auto& request = request_at<Kind>(find(queue, x.ticket));
    auto first = request.inputs.begin() + static_cast<ptrdiff_t>(request.begun);
    std::copy_n(first, x.count, std::back_inserter(result));
    request.begun += x.count;
  }
  return result;
}

/// Gives the outputs to their requests and answers those that are complete. Outputs of requests
/// that were withdrawn meanwhile are dropped.
template <class Kind>
void deal_out(device_queue& queue, const std::vector<slice>& slices,
              std::vector<typename Kind::output> outputs) {
  auto from = outputs.begin();
  for (const auto& x : slices) {
    auto to = from + static_cast<ptrdiff_t>(x.count);
    auto place = find(queue, x.ticket);
    if (place != queue.end()) {
      auto& target = request_at<Kind>(place).outputs;
      target.insert(target.end(), std::make_move_iterator(from), std::make_move_iterator(to));
    }
    from = to;
  }
  for (const auto& x : slices) {
    auto place = find(queue, x.ticket);
    if (place == queue.end())
      continue;
    auto& done = request_at<Kind>(place);
    if (done.outputs.size() < done.inputs.size())
      continue;
    done.reply.deliver(std::move(done.outputs));
    queue.erase(place);
  }
}

} // namespace musetalk::actors
