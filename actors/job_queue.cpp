#include "actors/job_queue.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace musetalk::actors {

namespace {

auto is_job(const std::string& job_id) {
  return [&job_id](const pipeline::job& x) {
    return x.job_id == job_id;
  };
}

} // namespace

void job_queue::push(pipeline::job x) {
  auto place = std::upper_bound(
      jobs_.begin(), jobs_.end(), x.created_us,
      [](pipeline::timestamp_us created, const auto& y) { return created < y.created_us; });
  jobs_.insert(place, std::move(x));
}

const pipeline::job* job_queue::find_if(const std::function<bool(const pipeline::job&)>& f) const {
  auto found = std::find_if(jobs_.begin(), jobs_.end(), f);
  return found == jobs_.end() ? nullptr : &*found;
}

const pipeline::job* job_queue::next(const busy_avatar& busy) const {
  return find_if([&](const auto& x) { return !busy(x.request.avatar_id); });
}

std::optional<pipeline::job> job_queue::take(const std::string& job_id) {
  auto found = std::find_if(jobs_.begin(), jobs_.end(), is_job(job_id));
  if (found == jobs_.end())
    return std::nullopt;
  auto result = std::move(*found);
  jobs_.erase(found);
  return result;
}

const pipeline::job* job_queue::find(const std::string& job_id) const {
  return find_if(is_job(job_id));
}

int64_t job_queue::position(const std::string& job_id) const {
  auto found = std::find_if(jobs_.begin(), jobs_.end(), is_job(job_id));
  return found == jobs_.end() ? 0 : std::distance(jobs_.begin(), found);
}

std::vector<std::string> job_queue::of_avatar(const std::string& avatar_id) const {
  auto result = std::vector<std::string>{};
  for (const auto& x : jobs_)
    if (x.request.avatar_id == avatar_id)
      result.push_back(x.job_id);
  return result;
}

std::vector<pipeline::job> job_queue::first(size_t most) const {
  auto end = jobs_.begin() + static_cast<std::ptrdiff_t>(std::min(most, jobs_.size()));
  return {jobs_.begin(), end};
}

} // namespace musetalk::actors
