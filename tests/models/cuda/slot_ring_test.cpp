#include "models/cuda/slot_ring.hpp"

#include "errors/error.hpp"

#include <gtest/gtest.h>

using namespace musetalk::models;
using musetalk::error;

TEST(SlotRing, HandsSlotsOutInTurn) {
  auto ring = slot_ring{};
  auto a = ring.begin(3), b = ring.begin(5);
  EXPECT_NE(a, b);
  EXPECT_TRUE(ring.full());
  EXPECT_EQ(ring.oldest(), a);
  EXPECT_EQ(ring.oldest_count(), 3u);
  ring.end();
  EXPECT_EQ(ring.begin(7), a) << "the host fills one slot while the device has the other";
  EXPECT_EQ(ring.oldest(), b);
  EXPECT_EQ(ring.oldest_count(), 5u);
  ring.end();
  EXPECT_EQ(ring.oldest_count(), 7u);
}

TEST(SlotRing, RefusesAThirdExecution) {
  auto ring = slot_ring{};
  ring.begin(1);
  ring.begin(1);
  EXPECT_THROW(ring.begin(1), error);
  EXPECT_EQ(ring.under_way(), 2u);
}

TEST(SlotRing, HasNothingToCollectWhenNothingIsUnderWay) {
  auto ring = slot_ring{};
  EXPECT_THROW(ring.oldest(), error);
  EXPECT_THROW(ring.end(), error);
  ring.begin(1);
  ring.end();
  EXPECT_THROW(ring.oldest_count(), error);
}

TEST(SlotRing, TakesBackASlotWhoseExecutionDidNotBegin) {
  auto ring = slot_ring{};
  auto a = ring.begin(1);
  auto b = ring.begin(2);
  ring.cancel();
  EXPECT_EQ(ring.oldest(), a);
  EXPECT_EQ(ring.begin(4), b);
}

TEST(SlotRing, StartsAnewAfterTheDeviceHasFailed) {
  auto ring = slot_ring{};
  ring.begin(1);
  ring.begin(2);
  ring.clear();
  EXPECT_EQ(ring.under_way(), 0u);
  ring.begin(9);
  EXPECT_EQ(ring.oldest_count(), 9u);
}
