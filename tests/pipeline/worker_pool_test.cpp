#include "pipeline/worker_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <stdexcept>

using namespace musetalk::pipeline;

TEST(WorkerPool, DoesEveryPartOnce) {
  for (auto threads : {0, 1, 3}) {
    auto pool = worker_pool{static_cast<size_t>(threads)};
    for (auto round = 0; round < 50; ++round) {
      auto done = std::vector<std::atomic<int>>(100);
      pool.for_each(done.size(), [&](size_t part, size_t) { ++done[part]; });
      for (const auto& x : done)
        EXPECT_EQ(x, 1);
    }
    pool.for_each(0, [](size_t, size_t) { FAIL(); });
  }
}

TEST(WorkerPool, HandsTheFirstExceptionOnAndStaysOfUse) {
  auto pool = worker_pool{2};
  auto begun = std::atomic<int>{0};
  EXPECT_THROW(pool.for_each(10'000,
                             [&](size_t part, size_t) {
                               ++begun;
                               if (part == 3)
                                 throw std::runtime_error("part 3");
                             }),
               std::runtime_error);
  EXPECT_LT(begun, 10'000);
  auto sum = std::atomic<size_t>{0};
  pool.for_each(10, [&](size_t part, size_t) { sum += part; });
  EXPECT_EQ(sum, 45u);
}

TEST(WorkerPool, GivesNoTwoPartsTheSameWorkerAtOnce) {
  auto pool = worker_pool{3};
  EXPECT_EQ(pool.workers(), 4u);
  auto busy = std::vector<std::atomic<bool>>(pool.workers());
  auto clashes = std::atomic<int>{0};
  pool.for_each(5'000, [&](size_t, size_t worker) {
    if (busy.at(worker).exchange(true))
      ++clashes;
    busy.at(worker) = false;
  });
  EXPECT_EQ(clashes, 0);
}
