#include <random>

#include <gtest/gtest.h>

#include "errors/error.hpp"
#include "http/gate/body_decoder.hpp"

namespace musetalk::http::gate {
namespace {

message_head chunked_head() {
  message_head out;
  out.chunked = true;
  return out;
}

message_head head_with_length(uint64_t bytes) {
  message_head out;
  out.body_length = bytes;
  return out;
}

/// Decodes pieces one after another.
struct decoding {
  explicit decoding(message_head head, uint64_t max_bytes = 1000) : decoder(head, max_bytes) {}
  size_t push(std::string_view text) {
    return decoder.push(text, [this](std::string_view part) { payload += part; });
  }
  body_decoder decoder;
  std::string payload;
};

TEST(BodyDecoder, IsCompleteWithoutABody) {
  EXPECT_TRUE(decoding{message_head{}}.decoder.complete());
  EXPECT_TRUE(decoding{head_with_length(0)}.decoder.complete());
  EXPECT_FALSE(decoding{chunked_head()}.decoder.complete());
}

TEST(BodyDecoder, EndsWhereTheLengthSays) {
  decoding body{head_with_length(5)};
  EXPECT_EQ(body.push("ab"), 2u);
  EXPECT_EQ(body.decoder.expected(), 3u);
  EXPECT_EQ(body.push("cdeGET /"), 3u);
  EXPECT_TRUE(body.decoder.complete());
  EXPECT_EQ(body.payload, "abcde");
}

const std::string chunks = "3\r\nabc\r\n0A;x=y\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";

TEST(BodyDecoder, TakesChunksApart) {
  decoding body{chunked_head()};
  EXPECT_EQ(body.push(chunks + "GET /"), chunks.size());
  EXPECT_TRUE(body.decoder.complete());
  EXPECT_EQ(body.payload, "abc0123456789");
  EXPECT_EQ(body.decoder.received(), 13u);
}

// Pistache loops for ever when the CRLF after a chunk comes in two reads.
TEST(BodyDecoder, TakesChunksCutAnywhere) {
  for (size_t first = 0; first <= chunks.size(); ++first)
    for (size_t second = first; second <= chunks.size(); ++second) {
      auto text = std::string_view{chunks};
      decoding body{chunked_head()};
      EXPECT_EQ(body.push(text.substr(0, first)), first);
      EXPECT_EQ(body.push(text.substr(first, second - first)), second - first);
      EXPECT_EQ(body.push(text.substr(second)), text.size() - second);
      ASSERT_TRUE(body.decoder.complete()) << first << " " << second;
      ASSERT_EQ(body.payload, "abc0123456789");
    }
}

TEST(BodyDecoder, NeverExpectsMoreThanTheBodyHas) {
  decoding body{chunked_head()};
  for (size_t i = 0; i < chunks.size(); ++i) {
    EXPECT_LE(body.decoder.expected(), chunks.size() - i);
    body.push(std::string_view{chunks}.substr(i, 1));
  }
}

TEST(BodyDecoder, RefusesMalformedChunks) {
  for (auto text : {"\r\n", "x\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", " 1\r\n", "1 2\r\n",
                    "fffffffffffffffff\r\n", "7fffffffffffffff\r\n", "3\nabc", "3\r\nabcd",
                    "3\r\nabc\n", "3\r\nabc\r\r", ";x\r\n", "0\r\nTrailer\n"})
    EXPECT_THROW(decoding{chunked_head()}.push(text), error) << text;
}

TEST(BodyDecoder, RefusesEndlessLinesAndTrailers) {
  decoding line{chunked_head()};
  EXPECT_THROW(line.push("1;" + std::string(2000, 'x')), error);
  decoding trailer{chunked_head()};
  trailer.push("0\r\n");
  std::string fields;
  for (auto i = 0; i < 3000; ++i)
    fields += "a: b\r\n";
  EXPECT_THROW(trailer.push(fields), error);
}

TEST(BodyDecoder, RefusesATooLongBodyBeforeItComes) {
  EXPECT_NO_THROW(body_decoder(head_with_length(1000), 1000));
  try {
    body_decoder(head_with_length(1001), 1000);
    FAIL();
  } catch (const error& what) {
    EXPECT_EQ(what.code(), errc::request_too_large);
    EXPECT_EQ(what.detail(), "The body has at least 1001 bytes; the limit is 1000.");
  }
}

TEST(BodyDecoder, RefusesATooLongChunkBeforeItComes) {
  decoding body{chunked_head(), 10};
  body.push("8\r\n12345678\r\n");
  EXPECT_THROW(body.push("3\r\n"), error);
  EXPECT_EQ(body.payload, "12345678");
}

TEST(BodyDecoder, TakesRandomChunksInRandomCuts) {
  std::mt19937 random{4711};
  for (auto round = 0; round < 2000; ++round) {
    std::string expected, text;
    for (auto count = random() % 5; count > 0; --count) {
      std::string data(1 + random() % 40, static_cast<char>('a' + random() % 26));
      char size[16];
      std::snprintf(size, sizeof size, "%zx\r\n", data.size());
      text += size + data + "\r\n";
      expected += data;
    }
    text += "0\r\n\r\n";
    decoding body{chunked_head()};
    for (auto rest = std::string_view{text}; !rest.empty();) {
      auto size = std::min<size_t>(rest.size(), 1 + random() % 9);
      ASSERT_EQ(body.push(rest.substr(0, size)), size);
      rest.remove_prefix(size);
    }
    ASSERT_TRUE(body.decoder.complete());
    ASSERT_EQ(body.payload, expected);
  }
}

} // namespace
} // namespace musetalk::http::gate
