#include <gtest/gtest.h>

#include "errors/error.hpp"
#include "http/gate/head.hpp"

namespace musetalk::http::gate {
namespace {

message_head parse(std::string_view text) {
  return parse_head(text, {});
}

errc failure_of(std::string_view text) {
  try {
    parse(text);
  } catch (const error& what) {
    return what.code();
  }
  return errc{};
}

TEST(HeadCollector, EndsAtTheEmptyLine) {
  head_collector head{100};
  std::string_view text = "GET / HTTP/1.1\r\nHost: a\r\n\r\nbody";
  EXPECT_EQ(head.push(text), text.size() - 4);
  ASSERT_TRUE(head.complete());
  EXPECT_EQ(head.take(), "GET / HTTP/1.1\r\nHost: a\r\n");
  EXPECT_TRUE(head.empty());
}

TEST(HeadCollector, TakesAnyCut) {
  std::string_view text = "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    head_collector head{100};
    EXPECT_EQ(head.push(text.substr(0, cut)), cut);
    EXPECT_EQ(head.push(text.substr(cut)), text.size() - cut);
    ASSERT_TRUE(head.complete()) << cut;
    EXPECT_EQ(head.take(), "GET / HTTP/1.1\r\nHost: a\r\n");
  }
}

TEST(HeadCollector, RefusesMoreThanItsLimitWithOrWithoutLines) {
  head_collector one_line{100};
  EXPECT_THROW(one_line.push(std::string(101, 'x')), error);
  head_collector many_lines{100};
  std::string lines;
  for (auto i = 0; i < 60; ++i)
    lines += "a\r\n";
  EXPECT_THROW(many_lines.push(lines), error);
}

TEST(HeadCollector, RefusesALineEndWithoutCr) {
  head_collector head{100};
  EXPECT_THROW(head.push("GET / HTTP/1.1\n"), error);
}

TEST(ParseHead, ReadsARequest) {
  auto head = parse("POST /a/b?c=d HTTP/1.1\r\nHost: x:1\r\ncontent-length:  7 \r\n");
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.path, "/a/b");
  EXPECT_EQ(head.query, "c=d");
  EXPECT_EQ(head.headers.get("Content-Length"), "7");
  EXPECT_EQ(head.body_length, 7u);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.chunked);
}

TEST(ParseHead, KnowsWhoWantsToStay) {
  auto keeps = [](std::string_view version, std::string_view fields) {
    return parse("GET / HTTP/" + std::string{version} + "\r\nHost: x\r\n" + std::string{fields})
        .keep_alive;
  };
  EXPECT_TRUE(keeps("1.1", ""));
  EXPECT_FALSE(keeps("1.1", "Connection: close\r\n"));
  EXPECT_FALSE(keeps("1.1", "Connection: foo, CLOSE\r\n"));
  EXPECT_FALSE(keeps("1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
  EXPECT_FALSE(keeps("1.0", ""));
  EXPECT_TRUE(keeps("1.0", "Connection: Keep-Alive\r\n"));
}

TEST(ParseHead, TakesTheAbsoluteForm) {
  EXPECT_EQ(parse("GET http://x:9000/a?b HTTP/1.1\r\nHost: x\r\n").path, "/a");
  EXPECT_EQ(parse("GET http://x HTTP/1.1\r\nHost: x\r\n").path, "/");
}

TEST(ParseHead, TakesFieldsItDoesNotUseAsTheyAre) {
  auto head = parse("GET / HTTP/1.1\r\nHost: [::1]:80\r\nCookie: ;;=,\r\nDate: yesterday\r\n"
                    "Cache-Control: max-age=x\r\nContent-Type: \xc3\xa4/?\r\nRange: apples\r\n");
  EXPECT_EQ(head.headers.get("Cookie"), ";;=,");
  EXPECT_EQ(head.headers.get("Date"), "yesterday");
}

TEST(ParseHead, RefusesWhatTwoReadersMightUnderstandDifferently) {
  const std::string ok = "POST / HTTP/1.1\r\nHost: x\r\n";
  ASSERT_EQ(failure_of(ok), errc{});
  for (auto fields : {
           "Content-Length: abc\r\n",
           "Content-Length:\r\n",
           "Content-Length: -1\r\n",
           "Content-Length: +1\r\n",
           "Content-Length: 0x10\r\n",
           "Content-Length: 1 2\r\n",
           "Content-Length: 1, 1\r\n",
           "Content-Length: 99999999999999999999999\r\n",
           "Content-Length: 5\r\nContent-Length: 5\r\n",
           "Content-Length: 5\r\nContent-Length: 6\r\n",
           "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: gzip\r\n",
           "Transfer-Encoding: gzip, chunked\r\n",
           "Transfer-Encoding: chunked, identity\r\n",
           "Transfer-Encoding: xchunked\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding : chunked\r\n",
           "Host: y\r\n",
           " folded: value\r\n",
           "Name with space: x\r\n",
           ": x\r\n",
           "no colon\r\n",
           "X: a\rb\r\n",
           "X: a\x01\r\n",
           "Expect: the unexpected\r\n",
       })
    EXPECT_EQ(failure_of(ok + fields), errc::request_malformed) << fields;
}

TEST(ParseHead, RefusesMalformedRequestLines) {
  for (auto line :
       {"", "GET", "GET /", "GET / HTTP/2.0", "GET / HTTP/1.1 x", "GET  HTTP/1.1", "GET a HTTP/1.1",
        "GET * HTTP/1.1", "G(T / HTTP/1.1", "GET /\x7f HTTP/1.1", "GET /a#b HTTP/1.1",
        "GET /\xc3\xa4 HTTP/1.1", "GET //a HTTP/1.1", "GET /a//b HTTP/1.1", " GET / HTTP/1.1",
        "GET / http/1.1", "ABCDEFGHIJKLMNOPQRSTUVWXYZ / HTTP/1.1"})
    EXPECT_EQ(failure_of(std::string{line} + "\r\nHost: x\r\n"), errc::request_malformed) << line;
}

TEST(ParseHead, RefusesMissingAndMalformedHosts) {
  EXPECT_EQ(failure_of("GET / HTTP/1.1\r\n"), errc::request_malformed);
  EXPECT_EQ(failure_of("GET / HTTP/1.1\r\nHost: a b\r\n"), errc::request_malformed);
  EXPECT_EQ(failure_of("GET / HTTP/1.1\r\nHost: a/b\r\n"), errc::request_malformed);
  EXPECT_EQ(failure_of("GET / HTTP/1.0\r\n"), errc{});
}

TEST(ParseHead, RefusesTransferCodingsInHttp10) {
  EXPECT_EQ(failure_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n"),
            errc::request_malformed);
}

TEST(ParseHead, RefusesLongTargetsAndManyFields) {
  EXPECT_EQ(failure_of("GET /" + std::string(3000, 'a') + " HTTP/1.1\r\nHost: x\r\n"),
            errc::request_too_large);
  std::string fields;
  for (auto i = 0; i < 64; ++i)
    fields += "X: y\r\n";
  EXPECT_EQ(failure_of("GET / HTTP/1.1\r\nHost: x\r\n" + fields), errc::request_too_large);
}

} // namespace
} // namespace musetalk::http::gate
