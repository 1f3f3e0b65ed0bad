#include "models/checkpoint/crc32.hpp"

#include <gtest/gtest.h>

#include <string>

using musetalk::models::crc32;

namespace {

uint32_t crc_of(const std::string& text) {
  return crc32(std::as_bytes(std::span{text}));
}

} // namespace

TEST(Crc32, KnowsThePublishedCheckValues) {
  EXPECT_EQ(crc_of(""), 0u);
  EXPECT_EQ(crc_of("123456789"), 0xCBF43926u);
  EXPECT_EQ(crc_of("The quick brown fox jumps over the lazy dog"), 0x414FA339u);
}
