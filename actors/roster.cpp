#include "actors/roster.hpp"

#include <deque>
#include <map>
#include <mutex>

namespace musetalk::actors {

namespace {

constexpr size_t most_ended = 64;

struct meter_list {
  std::mutex mutex;
  std::map<uint64_t, std::weak_ptr<meter>> meters;
  std::deque<ended_actor> ended;
  std::map<std::string, actor_totals> totals; ///< Of those that have ended.
};

meter_list& listed() {
  static auto list = meter_list{};
  return list;
}

void add(actor_totals& to, const meter_reading& x) {
  to.handled += x.handled;
  to.errors += x.errors;
  to.busy_us += x.busy_us;
}

} // namespace

std::shared_ptr<meter> make_meter(uint64_t actor_id) {
  auto result = std::make_shared<meter>(actor_id);
  result->placed({"", acting::current(), 0});
  auto& list = listed();
  auto lock = std::lock_guard{list.mutex};
  list.meters[actor_id] = result;
  return result;
}

void place_actor(uint64_t actor_id, actor_place x) {
  auto& list = listed();
  auto lock = std::lock_guard{list.mutex};
  if (auto found = list.meters.find(actor_id); found != list.meters.end())
    if (auto living = found->second.lock())
      living->placed(std::move(x));
}

void unlist_meter(const meter& x, std::string reason) {
  auto last = ended_actor{x.read(), std::move(reason), std::chrono::system_clock::now()};
  auto& list = listed();
  auto lock = std::lock_guard{list.mutex};
  if (list.meters.erase(x.actor_id()) == 0)
    return;
  auto& totals = list.totals[last.last.name];
  ++totals.ended;
  add(totals, last.last);
  list.ended.push_front(std::move(last));
  if (list.ended.size() > most_ended)
    list.ended.pop_back();
}

std::vector<std::shared_ptr<const meter>> listed_meters() {
  auto result = std::vector<std::shared_ptr<const meter>>{};
  auto& list = listed();
  auto lock = std::lock_guard{list.mutex};
  result.reserve(list.meters.size());
  for (const auto& [id, weak] : list.meters)
    if (auto x = weak.lock())
      result.push_back(std::move(x));
  return result;
}

std::shared_ptr<const meter> find_meter(uint64_t actor_id) {
  auto& list = listed();
  auto lock = std::lock_guard{list.mutex};
  auto found = list.meters.find(actor_id);
  return found == list.meters.end() ? nullptr : found->second.lock();
}

std::vector<meter_reading> read_meters() {
  auto result = std::vector<meter_reading>{};
  for (const auto& x : listed_meters())
    result.push_back(x->read());
  return result;
}

std::map<std::string, actor_totals> read_totals() {
  auto living = read_meters();
  auto& list = listed();
  auto lock = std::lock_guard{list.mutex};
  auto result = list.totals;
  for (const auto& x : living)
    if (list.meters.contains(x.actor_id))
      add(result[x.name], x);
  return result;
}

std::vector<ended_actor> ended_actors() {
  auto& list = listed();
  auto lock = std::lock_guard{list.mutex};
  return {list.ended.begin(), list.ended.end()};
}

} // namespace musetalk::actors
