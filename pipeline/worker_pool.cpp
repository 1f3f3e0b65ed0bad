#include "pipeline/worker_pool.hpp"

#include <utility>

namespace musetalk::pipeline {

worker_pool::worker_pool(size_t threads) {
  for (auto i = size_t{0}; i < threads; ++i)
    threads_.emplace_back([this, i] { serve(i + 1); });
}

worker_pool::~worker_pool() {
  {
    std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  changed_.notify_all();
  threads_.clear();
}

void worker_pool::for_each(size_t count, const work& what) {
  auto lock = std::unique_lock{mutex_};
  what_ = &what;
  next_ = 0;
  count_ = count;
  changed_.notify_all();
  take_parts(lock, 0);
  changed_.wait(lock, [this] { return running_ == 0; });
  what_ = nullptr;
  count_ = 0;
  if (auto failure = std::exchange(failure_, nullptr))
    std::rethrow_exception(failure);
}

void worker_pool::take_parts(std::unique_lock<std::mutex>& lock, size_t worker) {
  while (next_ < count_) {
    auto part = next_++;
    const auto& what = *what_;
    ++running_;
    lock.unlock();
    auto failure = std::exception_ptr{};
    try {
      what(part, worker);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    --running_;
    if (failure) {
      next_ = count_;
      if (!failure_)
        failure_ = failure;
    }
  }
  if (running_ == 0)
    changed_.notify_all();
}

void worker_pool::serve(size_t worker) {
  auto lock = std::unique_lock{mutex_};
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || next_ < count_; });
    if (stopping_)
      return;
    take_parts(lock, worker);
  }
}

} // namespace musetalk::pipeline
