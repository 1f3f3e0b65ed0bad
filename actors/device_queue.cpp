#include "actors/device_queue.hpp"

namespace musetalk::actors {

void put(device_queue& queue, waiting_work x) {
  auto place = std::upper_bound(
      queue.begin(), queue.end(), x.priority,
      [](work_class priority, const waiting_work& y) { return priority < y.priority; });
  queue.insert(place, std::move(x));
}

std::vector<slice> plan(const device_queue& queue, size_t limit) {
  const auto& head = queue.front();
  limit = std::min(limit, head.most);
  auto result = std::vector<slice>{{0, std::min(left(head), limit)}};
  auto frames = result.front().count;
  if (head.alone || frames < left(head))
    return result;
  for (size_t i = 1; i < queue.size(); ++i) {
    const auto& x = queue[i];
    if (x.request.index() != head.request.index() && x.priority == head.priority)
      continue;
    if (x.priority != head.priority || x.alone || frames + left(x) > std::min(limit, x.most))
      break;
    result.push_back({i, left(x)});
    frames += left(x);
  }
  return result;
}

} // namespace musetalk::actors
