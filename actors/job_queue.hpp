#pragma once

#include "pipeline/job.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace musetalk::actors {

/// Jobs that wait, oldest first. Plain data: what is durable is the catalog's.
class job_queue {
public:
  /// Whether a job of this avatar may not start now.
  using busy_avatar = std::function<bool(const std::string& avatar_id)>;

  size_t size() const noexcept { return jobs_.size(); }

  /// Takes a job in behind the older ones.
  void push(pipeline::job x);

  /// The oldest job whose avatar is not busy; null when there is none. Owned by the queue until the
  /// next change.
  const pipeline::job* next(const busy_avatar& busy) const;

  /// Takes a job out, if it is there.
  std::optional<pipeline::job> take(const std::string& job_id);

  const pipeline::job* find(const std::string& job_id) const;

  /// Jobs ahead of it; 0 when it is not queued.
  int64_t position(const std::string& job_id) const;

  /// Ids of an avatar's jobs, oldest first.
  std::vector<std::string> of_avatar(const std::string& avatar_id) const;

  /// The oldest job of which `f` holds; null when there is none.
  const pipeline::job* find_if(const std::function<bool(const pipeline::job&)>& f) const;

  /// The oldest jobs, at most so many.
  std::vector<pipeline::job> first(size_t most) const;

private:
  std::deque<pipeline::job> jobs_; ///< By creation.
};

} // namespace musetalk::actors
