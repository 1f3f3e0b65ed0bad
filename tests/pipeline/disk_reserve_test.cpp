#include "pipeline/disk_reserve.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

using namespace musetalk::pipeline;

namespace {

struct DiskReserve : ::testing::Test {
  std::filesystem::path file =
      std::filesystem::path{::testing::TempDir()} / ("reserve-" + std::to_string(::getpid()));
  ~DiskReserve() override { std::filesystem::remove(file); }
};

} // namespace

TEST_F(DiskReserve, HoldsItsRoomFromTheStart) {
  auto reserve = disk_reserve{file, 100'000};
  EXPECT_EQ(std::filesystem::file_size(file), 100'000u);
}

TEST_F(DiskReserve, IsGivenUpOnceAndTakenAgain) {
  auto reserve = disk_reserve{file, 100'000};
  EXPECT_TRUE(reserve.release());
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_FALSE(reserve.release());
  reserve.refill();
  EXPECT_EQ(std::filesystem::file_size(file), 100'000u);
  EXPECT_TRUE(reserve.release());
}

TEST_F(DiskReserve, IsNoneWhereTheDiskIsTooSmall) {
  auto reserve = disk_reserve{file, uint64_t{1} << 60};
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_FALSE(reserve.release());
}
