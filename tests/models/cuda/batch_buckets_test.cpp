#include "models/cuda/batch_buckets.hpp"

#include <gtest/gtest.h>

using namespace musetalk::models;

namespace {

using sizes = std::vector<size_t>;

batch_buckets with(const sizes& prepared) {
  auto buckets = batch_buckets{};
  for (auto size : prepared)
    buckets.add(size);
  return buckets;
}

} // namespace

TEST(BatchBuckets, PrepareTheLargestFirst) {
  EXPECT_EQ(batch_buckets::to_prepare(16), (sizes{16, 8, 4, 2, 1}));
  EXPECT_EQ(batch_buckets::to_prepare(5), (sizes{8, 4, 2, 1})) << "room for 5 is room for 8";
  EXPECT_EQ(batch_buckets::to_prepare(1), sizes{1});
  EXPECT_EQ(batch_buckets::to_prepare(0), sizes{1});
  EXPECT_EQ(batch_buckets::to_prepare(100).front(), 16u);
}

TEST(BatchBuckets, PadToTheNextSizeThatIsPrepared) {
  auto buckets = with({8, 1, 2, 8});
  EXPECT_EQ(buckets.sizes(), (sizes{1, 2, 8}));
  EXPECT_EQ(buckets.holding(1), 1u);
  EXPECT_EQ(buckets.holding(2), 2u);
  EXPECT_EQ(buckets.holding(3), 8u) << "4 is not prepared";
  EXPECT_EQ(buckets.holding(8), 8u);
  EXPECT_EQ(buckets.holding(9), 0u);
}

TEST(BatchBuckets, KnowTheirLargest) {
  EXPECT_EQ(batch_buckets{}.largest(), 0u);
  EXPECT_EQ(batch_buckets{}.holding(1), 0u);
  EXPECT_EQ(with({1, 4, 2}).largest(), 4u);
}

TEST(CutBatches, MakesFullExecutionsFirst) {
  auto parts = cut_batches(37, 16);
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[1].first, 16u);
  EXPECT_EQ(parts[2].first, 32u);
  EXPECT_EQ(parts[2].count, 5u);
  EXPECT_TRUE(cut_batches(0, 16).empty());
  EXPECT_EQ(cut_batches(16, 16).size(), 1u);
}
