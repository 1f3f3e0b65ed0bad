#include <gtest/gtest.h>

#include "errors/error.hpp"
#include "http/gate/byte_range.hpp"
#include "http/gate/percent.hpp"

namespace musetalk::http::gate {
namespace {

TEST(PercentDecode, UndoesEscapes) {
  EXPECT_EQ(percent_decode("/a%20b%C3%A4+c"), "/a b\xc3\xa4+c");
  EXPECT_EQ(percent_decode("a+b", true), "a b");
  EXPECT_EQ(percent_decode("%41"), "A");
}

TEST(PercentDecode, RefusesBadEscapes) {
  for (auto text : {"%", "%4", "%4g", "%g4", "a%", "%%41"})
    EXPECT_THROW(percent_decode(text), error) << text;
}

TEST(PercentDecode, RefusesControlCharactersAndBadUtf8) {
  for (auto text : {"%00", "%0a", "%7f", "%80", "%c3", "%c0%af", "%e0%80%80", "%ed%a0%80",
                    "%f4%90%80%80", "%f8", "%c3%28"})
    EXPECT_THROW(percent_decode(text), error) << text;
}

TEST(ParseQuery, KeepsEveryPair) {
  auto query = parse_query("a=1&b=x%20y+z&a=2&flag&=v&&c==", 10);
  EXPECT_EQ(query.size(), 6u);
  EXPECT_EQ(query.count("a"), 2u);
  EXPECT_EQ(query.find("b")->second, "x y z");
  EXPECT_EQ(query.find("flag")->second, "");
  EXPECT_EQ(query.find("")->second, "v");
  EXPECT_EQ(query.find("c")->second, "=");
}

TEST(ParseQuery, RefusesTooManyPairs) {
  EXPECT_NO_THROW(parse_query("a&b&c", 3));
  EXPECT_THROW(parse_query("a&b&c&d", 3), error);
}

using kind = range_request::kind;

TEST(ParseRange, ReadsOneRange) {
  EXPECT_EQ(parse_range("bytes=0-3", 10).part, (byte_range{0, 4}));
  EXPECT_EQ(parse_range("bytes=5-", 10).part, (byte_range{5, 5}));
  EXPECT_EQ(parse_range("bytes=-3", 10).part, (byte_range{7, 3}));
  EXPECT_EQ(parse_range("bytes=8-99", 10).part, (byte_range{8, 2}));
  EXPECT_EQ(parse_range("bytes=-99", 10).part, (byte_range{0, 10}));
}

TEST(ParseRange, KnowsWhatCannotBeHad) {
  EXPECT_EQ(parse_range("bytes=10-", 10).what, kind::unsatisfiable);
  EXPECT_EQ(parse_range("bytes=-0", 10).what, kind::unsatisfiable);
  EXPECT_EQ(parse_range("bytes=0-", 0).what, kind::unsatisfiable);
}

TEST(ParseRange, TakesNonsenseForTheWhole) {
  for (auto field : {"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=3-2", "bytes=0-1,3-4",
                     "lines=0-1", "bytes=1-2x", "bytes=99999999999999999999-", "bytes= 0-1"})
    EXPECT_EQ(parse_range(field, 10).what, kind::whole) << field;
}

} // namespace
} // namespace musetalk::http::gate
