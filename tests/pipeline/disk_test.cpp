#include "pipeline/disk.hpp"

#include <gtest/gtest.h>

using namespace musetalk::pipeline;

TEST(DiskSpace, IsThatOfTheNearestFolder) {
  auto here = disk_space_of("/");
  ASSERT_TRUE(here);
  EXPECT_GT(here->total_bytes, 0u);
  EXPECT_LE(here->free_bytes, here->total_bytes);
  auto below = disk_space_of("/no/such/folder");
  ASSERT_TRUE(below);
  EXPECT_EQ(below->total_bytes, here->total_bytes);
}

TEST(DiskSpace, TakesARelativePath) {
  EXPECT_TRUE(disk_space_of(""));
  EXPECT_TRUE(disk_space_of("no-such-file"));
}
