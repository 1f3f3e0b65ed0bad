#include "models/sha256.hpp"

#include <gtest/gtest.h>

#include <string>

using musetalk::models::sha256;

namespace {

std::string hash_of(const std::string& text, size_t step = 1 << 20) {
  auto h = sha256{};
  for (size_t at = 0; at < text.size(); at += step)
    h.update(std::as_bytes(std::span{text}.subspan(at, std::min(step, text.size() - at))));
  return h.finish();
}

} // namespace

TEST(Sha256, KnowsThePublishedVectors) {
  EXPECT_EQ(hash_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hash_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hash_of(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, DoesNotDependOnTheSteps) {
  auto text = std::string{};
  for (auto i = 0; i < 1000; ++i)
    text += static_cast<char>(i * 7);
  for (auto step : {1, 55, 63, 64, 65, 128, 999})
    EXPECT_EQ(hash_of(text, static_cast<size_t>(step)), hash_of(text)) << step;
}
