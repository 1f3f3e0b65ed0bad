#include <array>
#include <random>

#include "tests/http/gate_fixture.hpp"

namespace musetalk::http::test {
namespace {

using namespace std::chrono_literals;
using GateAgainst = gate_test;

const std::string post_head = "POST /echo HTTP/1.1\r\nHost: a\r\n";

TEST_F(GateAgainst, SlashFloods) {
  start([](server_options& options) {
    options.limits.max_head_bytes = 256 * 1024;
    options.limits.max_target_bytes = 128 * 1024;
  });
  auto c = client();
  EXPECT_EQ(c.get(std::string(60'000, '/')).status, 400);
  EXPECT_EQ(client().get("/hello").status, 200);
  std::string deep;
  for (auto i = 0; i < 30'000; ++i)
    deep += "/a";
  EXPECT_EQ(client().get(deep).status, 404);
  EXPECT_EQ(client().get("/hello").status, 200);
}

TEST_F(GateAgainst, MalformedRequestsEachAnsweredAndClosed) {
  start();
  for (auto request : {
           "\x16\x03\x01\x02",
           "GET / HTTP/1.1\n",
           "GET /hello HTTP/1.1\r\n\r\n",
           "GET /hello HTTP/3\r\nHost: a\r\n\r\n",
           "GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
           "GET /hello HTTP/1.1\r\nHost : a\r\n\r\n",
           "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: abc\r\n\r\n",
           "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
           "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
           "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: "
           "chunked\r\n\r\n",
           "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
           "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
           "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef",
       }) {
    auto c = client();
    c.send(request);
    c.send("\r\n\r\n");
    auto answer = c.read_answer();
    EXPECT_EQ(answer.status, 400) << request;
    EXPECT_EQ(answer.field("Connection"), "close") << request;
    EXPECT_TRUE(c.ends()) << request;
  }
  EXPECT_EQ(client().get("/hello").status, 200);
}

// A second request in what another reader would take for the body must never be answered.
TEST_F(GateAgainst, SmuggledRequests) {
  start();
  auto c = client();
  c.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
         "0\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(c.read_answer().status, 400);
  EXPECT_TRUE(c.ends());
}

TEST_F(GateAgainst, FieldsThatPistacheChokesOn) {
  start();
  auto c = client();
  c.send("GET /hello HTTP/1.1\r\nHost: [::1]:http\r\nCookie: =;;\r\nDate: x\r\nCache-Control: "
         "max-age=z\r\n"
         "Content-Type: nonsense\r\nAccept: ///\r\nAuthorization:\r\nConnection: ,\r\n\r\n");
  EXPECT_EQ(c.read_answer().status, 200);
}

TEST_F(GateAgainst, HeadsThatNeverEnd) {
  start();
  auto c = client();
  c.send("GET /hello HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'x'));
  auto answer = c.read_answer();
  EXPECT_EQ(answer.status, 413);
  EXPECT_NE(answer.body.find("16384"), std::string::npos) << answer.body;
  EXPECT_TRUE(c.ends());
}

TEST_F(GateAgainst, BodiesOverTheLimit) {
  start();
  auto told = client();
  told.send(post_head + "Content-Length: 99999999\r\n\r\n");
  auto answer = told.read_answer();
  EXPECT_EQ(answer.status, 413);
  EXPECT_NE(answer.body.find("1024"), std::string::npos) << answer.body;
  EXPECT_TRUE(told.ends());
  auto untold = client();
  untold.send(post_head + "Transfer-Encoding: chunked\r\n\r\n401\r\n");
  EXPECT_EQ(untold.read_answer().status, 413);
  EXPECT_TRUE(untold.ends());
}

TEST_F(GateAgainst, BodiesALittleOverTheLimitWithoutLosingTheConnection) {
  start();
  auto c = client();
  c.send(post_head + "Content-Length: 1025\r\n\r\n" + std::string(1025, 'x'));
  EXPECT_EQ(c.read_answer().status, 413);
  EXPECT_EQ(c.get("/hello").body, "hi");
}

// A client that sends all of its body before it reads must see the answer and not a reset.
TEST_F(GateAgainst, BodiesOverTheLimitFromClientsThatKeepSending) {
  start();
  auto c = client();
  constexpr size_t size = 64 << 20;
  c.send(post_head + "Content-Length: " + std::to_string(size) + "\r\n\r\n");
  EXPECT_TRUE(c.send(std::string(size, 'x')));
  EXPECT_EQ(c.read_answer().status, 413);
  EXPECT_TRUE(c.ends());
}

TEST_F(GateAgainst, EndlessBodiesAfterTheAnswer) {
  start([](server_options& options) { options.limits.linger_bytes = 1 << 20; });
  auto c = client();
  c.send(post_head + "Transfer-Encoding: chunked\r\n\r\nffffff\r\n");
  while (c.send(std::string(64 * 1024, 'x')))
    ;
  c.close();
  await_connections(0);
}

TEST_F(GateAgainst, SlowHeads) {
  start(on(clock_));
  auto c = client();
  // The part of a head comes with a request before it, so that it is surely there when time passes.
  c.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HT");
  ASSERT_EQ(c.read_answer().status, 200);
  while (!c.readable_within(1ms))
    clock_.advance(1s);
  EXPECT_EQ(c.read_answer().status, 408);
  EXPECT_TRUE(c.ends());
}

TEST_F(GateAgainst, ClientsThatNeverSayAnything) {
  start(on(clock_));
  auto c = client();
  await_connections(1);
  clock_.advance(10s + 1ms);
  EXPECT_TRUE(c.ends());
  await_connections(0);
}

TEST_F(GateAgainst, SlowBodies) {
  start(on(clock_));
  auto c = client();
  c.send(post_head + "Expect: 100-continue\r\nContent-Length: 10\r\n\r\n");
  ASSERT_EQ(c.read_answer().status, 100);
  clock_.advance(20s + 1ms);
  EXPECT_EQ(c.read_answer().status, 408);
  EXPECT_TRUE(c.ends());
}

TEST_F(GateAgainst, IdleConnections) {
  start(on(clock_));
  auto c = client();
  ASSERT_EQ(c.get("/hello").status, 200);
  clock_.advance(60s);
  ASSERT_EQ(c.get("/hello").status, 200) << "within the keep-alive time-out";
  // Idle time counts from a moment after the answer, which the client cannot know.
  while (!c.readable_within(1ms))
    clock_.advance(1s);
  EXPECT_TRUE(c.ends());
  await_connections(0);
}

TEST_F(GateAgainst, ClientsThatNeverCloseAfterTheLastAnswer) {
  start(on(clock_));
  auto c = client();
  c.send("GET /hello HTTP/1.0\r\n\r\n");
  ASSERT_EQ(c.read_answer().status, 200);
  ASSERT_TRUE(c.ends());
  clock_.advance(5s + 1ms);
  await_connections(0);
}

TEST_F(GateAgainst, HandlersThatTakeLongAreNotCut) {
  start(on(clock_));
  auto c = client();
  c.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  auto x = parked_.pop();
  clock_.advance(1h);
  ASSERT_EQ(client().get("/hello").status, 200);
  x->respond({200, {}, "at last"});
  EXPECT_EQ(c.read_answer().body, "at last");
}

// Pistache would spin for the slow one and serve nobody else of the thread.
TEST_F(GateAgainst, SlowReaders) {
  start([](server_options& options) { options.threads = 1; });
  auto slow = client(4096);
  slow.send("GET /big/65536 HTTP/1.1\r\nHost: a\r\n\r\n");
  slow.read_until("\r\n\r\n");
  auto c = client();
  for (auto i = 0; i < 200; ++i)
    ASSERT_EQ(c.get("/hello").status, 200);
  EXPECT_EQ(slow.read_exactly(1 << 20).size(), size_t{1} << 20);
}

TEST_F(GateAgainst, StalledReaders) {
  start(on(clock_));
  auto slow = client(4096);
  slow.send("GET /big/65536 HTTP/1.1\r\nHost: a\r\n\r\n");
  slow.read_until("\r\n\r\n");
  ASSERT_EQ(client().get("/hello").status, 200);
  accesses_.pop();
  // Bytes still move into buffers for a while, and each counts as progress.
  auto until = std::chrono::steady_clock::now() + patience;
  while (server_->connections() > 0 && std::chrono::steady_clock::now() < until)
    clock_.advance(1s);
  EXPECT_EQ(server_->connections(), 0u);
  EXPECT_FALSE(accesses_.pop().delivered);
}

TEST_F(GateAgainst, ReadersThatAbort) {
  start();
  file_ = "/proc/self/exe";
  ASSERT_EQ(client().get("/hello").status, 200);
  await_connections(0);
  auto files = open_files();
  for (auto i = 0; i < 30; ++i) {
    auto c = client(4096);
    c.send("GET /big/16384 HTTP/1.1\r\nHost: a\r\n\r\n");
    c.read_until("\r\n\r\n");
    c.abort();
  }
  await_connections(0);
  EXPECT_EQ(open_files(), files);
}

TEST_F(GateAgainst, UploadersThatAbort) {
  start();
  ASSERT_EQ(client().get("/hello").status, 200);
  await_connections(0);
  auto files = open_files();
  for (auto i = 0; i < 30; ++i) {
    auto c = client();
    c.send("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" +
           std::string(1000, 'x'));
    i % 2 ? c.abort() : c.close();
    ASSERT_EQ(sink_->ends.pop(), "request.aborted");
  }
  await_connections(0);
  EXPECT_EQ(open_files(), files);
}

TEST_F(GateAgainst, Noise) {
  start();
  ASSERT_EQ(client().get("/hello").status, 200);
  await_connections(0);
  auto files = open_files();
  const std::array<std::string, 5> requests{
      "GET /item/a%20b?q=1 HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
      "POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
      "HEAD /hello HTTP/1.0\r\nExpect: 100-continue\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: a\r\nRange: bytes=0-\r\n\r\n"};
  std::mt19937 random{99};
  for (auto round = 0; round < 1500; ++round) {
    auto text = requests[random() % requests.size()] + requests[random() % requests.size()];
    for (auto hits = random() % 5; hits > 0; --hits)
      text[random() % text.size()] = "\r\n :;%/0fF\x80-"[random() % 13];
    auto c = client();
    for (auto rest = std::string_view{text}; !rest.empty();) {
      auto size = std::min<size_t>(rest.size(), 1 + random() % 60);
      c.send(rest.substr(0, size));
      rest.remove_prefix(size);
    }
    if (random() % 2) {
      c.end_sending();
      c.read_to_end();
    } else {
      c.abort();
    }
  }
  EXPECT_EQ(client().get("/hello").status, 200);
  await_connections(0);
  EXPECT_EQ(open_files(), files);
}

TEST_F(GateAgainst, MoreConnectionsThanAllowed) {
  start([](server_options& options) { options.limits.max_connections = 2; });
  auto one = client();
  auto two = client();
  ASSERT_EQ(one.get("/hello").status, 200);
  ASSERT_EQ(two.get("/hello").status, 200);
  auto three = client();
  EXPECT_EQ(three.read_answer().status, 503);
  EXPECT_TRUE(three.ends());
  two.close();
  await_connections(1);
  EXPECT_EQ(client().get("/hello").status, 200);
}

} // namespace
} // namespace musetalk::http::test
