#pragma once

#include "pipeline/job.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace musetalk::actors {

/// Jobs that wait, the first to start first. Plain data: what is durable is the catalog's.
///
/// A job of high priority waits as if it had come one step earlier than it did, one of low priority
/// as if one step later. So each waits only for those that come within two steps after it, and
/// nobody for ever. Jobs of one avatar keep the order of their creation: those before an urgent one
/// become as urgent.
class job_queue {
public:
  using predicate = std::function<bool(const pipeline::job&)>;

  /// @param step What a priority is worth in time.
  explicit job_queue(std::chrono::microseconds step = std::chrono::minutes{10}) : step_(step) {}

  size_t size() const noexcept { return jobs_.size(); }

  void push(pipeline::job x);

  /// The first job that may start; null when there is none. Owned by the queue until the next
  /// change.
  const pipeline::job* next(const predicate& may_start) const { return find_if(may_start); }

  /// Takes a job out, if it is there.
  std::optional<pipeline::job> take(const std::string& job_id);

  const pipeline::job* find(const std::string& job_id) const;

  /// Jobs ahead of it; 0 when it is not queued.
  int64_t position(const std::string& job_id) const;

  /// Ids of an avatar's jobs, oldest first.
  std::vector<std::string> of_avatar(const std::string& avatar_id) const;

  /// The first job of which `f` holds; null when there is none.
  const pipeline::job* find_if(const predicate& f) const;

  /// The first jobs, at most so many.
  std::vector<pipeline::job> first(size_t most) const;

  /// All, in the order of their turn. None is null.
  const std::vector<std::shared_ptr<const pipeline::job>>& jobs() const noexcept { return jobs_; }

private:
  void order();

  std::chrono::microseconds step_;
  std::vector<std::shared_ptr<const pipeline::job>> jobs_;
};

/// When a job would have come if all priorities were equal.
pipeline::timestamp_us turn_of(const pipeline::job& x, std::chrono::microseconds step) noexcept;

} // namespace musetalk::actors
