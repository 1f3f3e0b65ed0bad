#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace musetalk::pipeline {

/// A few threads for work that splits into equal parts. Used by one thread at a time, which helps.
class worker_pool {
public:
  /// @param threads Beside the caller's own; 0 does all work on the caller's.
  explicit worker_pool(size_t threads);
  worker_pool(const worker_pool&) = delete;
  worker_pool& operator=(const worker_pool&) = delete;
  ~worker_pool();

  /// What is done with part number `part` by worker number `worker`.
  using work = std::function<void(size_t part, size_t worker)>;

  /// Does the parts `[0, count)`, in any order and at once, and returns when all have ended. After
  /// a throw no further part begins, and the first exception is thrown on.
  void for_each(size_t count, const work& what);

  /// Worker numbers are `[0, workers())`; no two parts have the same at once.
  size_t workers() const noexcept { return threads_.size() + 1; }

private:
  void take_parts(std::unique_lock<std::mutex>& lock, size_t worker);
  void serve(size_t worker);

  std::mutex mutex_;
  std::condition_variable changed_;
  const work* what_ = nullptr;
  size_t next_ = 0;
  size_t count_ = 0;
  size_t running_ = 0;
  std::exception_ptr failure_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

} // namespace musetalk::pipeline
