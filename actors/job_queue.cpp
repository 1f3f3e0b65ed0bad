#include "actors/job_queue.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace musetalk::actors {

namespace {

using job_pointer = std::shared_ptr<const pipeline::job>;

auto is_job(const std::string& job_id) {
  return [&job_id](const job_pointer& x) {
    return x->job_id == job_id;
  };
}

bool is_older(const job_pointer& x, const job_pointer& y) {
  return x->created_us < y->created_us;
}

} // namespace

pipeline::timestamp_us turn_of(const pipeline::job& x, std::chrono::microseconds step) noexcept {
  switch (x.request.priority) {
  case pipeline::job_priority::high:
    return x.created_us - step.count();
  case pipeline::job_priority::low:
    return x.created_us + step.count();
  default:
    return x.created_us;
  }
}

void job_queue::push(pipeline::job x) {
  jobs_.push_back(std::make_shared<const pipeline::job>(std::move(x)));
  order();
}

void job_queue::order() {
  std::stable_sort(jobs_.begin(), jobs_.end(), is_older);
  // From the newest to the oldest of each avatar: none has its turn after one that follows it.
  auto earliest = std::map<std::string, pipeline::timestamp_us>{};
  auto turns = std::vector<std::pair<pipeline::timestamp_us, job_pointer>>{};
  for (auto x = jobs_.rbegin(); x != jobs_.rend(); ++x) {
    auto own = turn_of(**x, step_);
    auto [known, first] = earliest.try_emplace((*x)->request.avatar_id, own);
    if (!first)
      known->second = std::min(known->second, own);
    turns.emplace_back(known->second, std::move(*x));
  }
  std::reverse(turns.begin(), turns.end());
  std::stable_sort(turns.begin(), turns.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  jobs_.clear();
  for (auto& [turn, x] : turns)
    jobs_.push_back(std::move(x));
}

const pipeline::job* job_queue::find_if(const predicate& f) const {
  auto found = std::find_if(jobs_.begin(), jobs_.end(), [&](const auto& x) { return f(*x); });
  return found == jobs_.end() ? nullptr : found->get();
}

std::optional<pipeline::job> job_queue::take(const std::string& job_id) {
  auto found = std::find_if(jobs_.begin(), jobs_.end(), is_job(job_id));
  if (found == jobs_.end())
    return std::nullopt;
  auto result = **found;
  jobs_.erase(found);
  // Those that it hurried fall back.
  order();
  return result;
}

const pipeline::job* job_queue::find(const std::string& job_id) const {
  auto found = std::find_if(jobs_.begin(), jobs_.end(), is_job(job_id));
  return found == jobs_.end() ? nullptr : found->get();
}

int64_t job_queue::position(const std::string& job_id) const {
  auto found = std::find_if(jobs_.begin(), jobs_.end(), is_job(job_id));
  return found == jobs_.end() ? 0 : std::distance(jobs_.begin(), found);
}

std::vector<std::string> job_queue::of_avatar(const std::string& avatar_id) const {
  auto result = std::vector<std::string>{};
  for (const auto& x : jobs_)
    if (x->request.avatar_id == avatar_id)
      result.push_back(x->job_id);
  return result;
}

std::vector<pipeline::job> job_queue::first(size_t most) const {
  auto result = std::vector<pipeline::job>{};
  for (const auto& x : jobs_)
    if (result.size() < most)
      result.push_back(*x);
  return result;
}

} // namespace musetalk::actors
