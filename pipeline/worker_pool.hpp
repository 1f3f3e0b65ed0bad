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

  /// Calls `part(0)` to `part(count - 1)`, in any order and at once, and returns when all have
  /// ended. After a throw no further part begins, and the first exception is thrown on.
  void for_each(size_t count, const std::function<void(size_t)>& part);

private:
  void take_parts(std::unique_lock<std::mutex>& lock);
  void serve();

  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void(size_t)>* part_ = nullptr;
  size_t next_ = 0;
  size_t count_ = 0;
  size_t running_ = 0;
  std::exception_ptr failure_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

} // namespace musetalk::pipeline
