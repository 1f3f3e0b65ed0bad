#include "actors/device_queue.hpp"

#include <numeric>

namespace musetalk::actors {

size_t execution::frames() const noexcept {
  return std::accumulate(slices.begin(), slices.end(), size_t{0},
                         [](size_t sum, const slice& x) { return sum + x.count; });
}

void put(device_queue& queue, waiting_work x) {
  auto place = std::upper_bound(
      queue.begin(), queue.end(), x.priority,
      [](work_class priority, const waiting_work& y) { return priority < y.priority; });
  queue.insert(place, std::move(x));
}

device_queue::iterator next_in(device_queue& queue) {
  return std::find_if(queue.begin(), queue.end(), [](const auto& x) { return left(x) > 0; });
}

device_queue::iterator find(device_queue& queue, uint64_t ticket) {
  return std::find_if(queue.begin(), queue.end(),
                      [&](const auto& x) { return x.ticket == ticket; });
}

size_t count_waiting(const device_queue& queue) {
  return static_cast<size_t>(
      std::count_if(queue.begin(), queue.end(), [](const auto& x) { return left(x) > 0; }));
}

std::vector<slice> plan(device_queue& queue, device_queue::iterator head, size_t limit) {
  limit = std::min(limit, head->most);
  auto result = std::vector<slice>{{head->ticket, std::min(left(*head), limit)}};
  auto frames = result.front().count;
  if (head->alone || frames < left(*head))
    return result;
  for (auto x = std::next(head); x != queue.end() && x->priority == head->priority; ++x) {
    if (x->request.index() != head->request.index() || left(*x) == 0)
      continue;
    if (x->alone || frames + left(*x) > std::min(limit, x->most))
      break;
    result.push_back({x->ticket, left(*x)});
    frames += left(*x);
  }
  return result;
}

void begin_again(device_queue& queue) {
  for (auto& x : queue)
    std::visit([](auto& r) { r.begun = r.outputs.size(); }, x.request);
}

} // namespace musetalk::actors
