#include "models/networks/hash_fill.hpp"

#include <gtest/gtest.h>

using namespace musetalk::models;

TEST(HashFill, KnowsTheStatedAnswers) {
  EXPECT_EQ(fnv1a64("conv_in.weight"), 0x1CE69906BDC574A7u);
  auto state = fnv1a64("conv_in.weight") ^ 9001u;
  EXPECT_EQ(hash_at(state, 0), 0xAA6CA94E4E2E4A5Bu);
  EXPECT_EQ(uniform_of(hash_at(state, 0)), 0.3314410448074341f);
  EXPECT_EQ(uniform_of(hash_at(state, 1)), -0.5654853582382202f);
  EXPECT_EQ(uniform_of(hash_at(state, 2)), 0.26897716522216797f);
}

TEST(HashFill, DependsOnTheNameAndTheSeed) {
  EXPECT_EQ(hashed_weight("a.weight", {2, 3}, 1, 1.0), hashed_weight("a.weight", {2, 3}, 1, 1.0));
  EXPECT_NE(hashed_weight("a.weight", {2, 3}, 1, 1.0), hashed_weight("b.weight", {2, 3}, 1, 1.0));
  EXPECT_NE(hashed_weight("a.weight", {2, 3}, 1, 1.0), hashed_weight("a.weight", {2, 3}, 2, 1.0));
}
