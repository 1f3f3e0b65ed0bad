#include <thread>

#include "tests/http/gate_fixture.hpp"

namespace musetalk::http::test {
namespace {

using namespace std::chrono_literals;
using GateAsync = gate_test;

TEST_F(GateAsync, TakesAnAnswerFromAnyThreadLater) {
  start();
  auto c = client();
  c.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  auto x = parked_.pop();
  EXPECT_FALSE(x->closed());
  std::thread{[&] {
    EXPECT_TRUE(x->respond({202, {}, "done"}));
  }}.join();
  auto answer = c.read_answer();
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.body, "done");
  EXPECT_TRUE(closes_.pop());
  EXPECT_TRUE(x->closed());
}

TEST_F(GateAsync, TakesOneAnswerOnly) {
  start();
  auto c = client();
  c.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  auto x = parked_.pop();
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (auto i = 0; i < 8; ++i)
    threads.emplace_back([&] { taken += x->respond({200, {}, "one"}); });
  for (auto& t : threads)
    t.join();
  EXPECT_EQ(taken, 1);
  EXPECT_FALSE(x->respond({}));
  EXPECT_FALSE(x->fail(error{errc::internal, ""}));
  EXPECT_FALSE(x->start_stream({}));
  EXPECT_EQ(c.read_answer().body, "one");
  EXPECT_EQ(c.get("/hello").body, "hi");
}

TEST_F(GateAsync, DropsAnAnswerForAClientThatLeft) {
  start();
  auto c = client();
  c.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  auto x = parked_.pop();
  c.abort();
  EXPECT_FALSE(closes_.pop());
  EXPECT_TRUE(x->closed());
  await_connections(0);
  x->respond({200, {}, "too late"});
  EXPECT_FALSE(accesses_.pop().delivered);
}

TEST_F(GateAsync, DropsAnAnswerForAServerThatEnded) {
  start();
  auto c = client();
  c.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  auto x = parked_.pop();
  EXPECT_EQ(server_->drain(0ms), 1u);
  server_.reset();
  x->respond({200, {}, "too late"});
  EXPECT_TRUE(x->closed());
  EXPECT_EQ(x->in().path, "/later");
}

TEST_F(GateAsync, CallsOnCloseAtOnceWhenAllIsOver) {
  start();
  auto c = client();
  c.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  auto x = parked_.pop();
  x->respond({});
  ASSERT_TRUE(closes_.pop());
  auto called = false;
  x->on_close([&](bool delivered) { called = delivered; });
  EXPECT_TRUE(called);
}

TEST_F(GateAsync, AnswersForWhoLetsAnExchangeGo) {
  start();
  auto c = client();
  c.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  parked_.pop().reset();
  EXPECT_EQ(c.read_answer().status, 500);
}

TEST_F(GateAsync, StreamsInChunks) {
  start();
  auto c = client();
  c.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
  auto s = streams_.pop();
  auto head = c.read_until("\r\n\r\n");
  EXPECT_NE(head.find("Transfer-Encoding: chunked\r\n"), head.npos);
  EXPECT_TRUE(s->write("data: 1\n\n"));
  EXPECT_EQ(c.read_chunk(), "data: 1\n\n");
  EXPECT_TRUE(s->write("data: 2\n\n"));
  EXPECT_EQ(c.read_chunk(), "data: 2\n\n");
  EXPECT_TRUE(s->open());
  s->end();
  EXPECT_EQ(c.read_chunk(), std::nullopt);
  EXPECT_TRUE(closes_.pop());
  EXPECT_FALSE(s->write("more"));
  EXPECT_FALSE(s->open());
  EXPECT_EQ(c.get("/hello").body, "hi") << "the connection lives on";
}

TEST_F(GateAsync, StreamsPlainlyForHttp10) {
  start();
  auto c = client();
  c.send("GET /stream HTTP/1.0\r\n\r\n");
  auto s = streams_.pop();
  s->write("data");
  s.reset();
  auto answer = c.read_answer();
  EXPECT_EQ(answer.field("Transfer-Encoding"), "");
  EXPECT_EQ(answer.body, "data");
}

TEST_F(GateAsync, AnswersHeadOfAStreamWithoutOne) {
  start();
  auto c = client();
  c.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(c.read_answer(true).status, 200);
  EXPECT_TRUE(streams_.empty());
  EXPECT_EQ(c.get("/hello").body, "hi");
}

TEST_F(GateAsync, NoticesWhoLeavesAStream) {
  start();
  for (auto hard : {false, true}) {
    auto c = client();
    c.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    auto s = streams_.pop();
    c.read_until("\r\n\r\n");
    hard ? c.abort() : c.close();
    EXPECT_FALSE(closes_.pop());
    EXPECT_FALSE(s->write("x"));
    EXPECT_FALSE(s->open());
  }
  await_connections(0);
}

TEST_F(GateAsync, NoticesWhoLeavesAStreamBehindMoreInput) {
  start();
  auto c = client();
  c.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  auto s = streams_.pop();
  c.read_until("\r\n\r\n");
  c.close();
  EXPECT_FALSE(closes_.pop());
}

TEST_F(GateAsync, CutsOffWhoReadsAStreamTooSlowly) {
  start([](server_options& options) { options.limits.stream_queue_bytes = 64 * 1024; });
  auto slow = client(4096);
  slow.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
  auto s = streams_.pop();
  auto event = std::string(1024, 'x');
  auto written = 0;
  // Beside our queue there are the kernel's buffers, of some MB.
  while (written < 32 * 1024 && s->write(event))
    ++written;
  EXPECT_GT(written, 32);
  EXPECT_LT(written, 32 * 1024);
  EXPECT_FALSE(closes_.pop());
  await_connections(0);
  EXPECT_FALSE(s->write(event));
}

TEST_F(GateAsync, TellsWhatASlowClientHasNotTaken) {
  start();
  auto slow = client(4096);
  slow.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
  auto s = streams_.pop();
  EXPECT_EQ(s->backlog(), 0u);
  // The kernel's buffers come first.
  auto event = std::string(64 * 1024, 'x');
  auto written = 0;
  while (s->backlog() == 0 && s->write(event))
    ++written;
  EXPECT_GT(s->backlog(), 0u);
  EXPECT_TRUE(s->open());
  for (slow.read_until("\r\n\r\n"); written-- > 0;)
    EXPECT_EQ(slow.read_chunk(), event);
  s->end();
  slow.read_chunk();
  EXPECT_TRUE(closes_.pop());
  EXPECT_EQ(s->backlog(), 0u);
}

TEST_F(GateAsync, StreamsToManyFromOneThread) {
  start();
  std::vector<raw_client> clients;
  std::vector<std::shared_ptr<stream>> open;
  for (auto i = 0; i < 100; ++i) {
    clients.push_back(client());
    clients.back().send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    open.push_back(streams_.pop());
  }
  for (auto round = 0; round < 20; ++round)
    for (auto& s : open)
      ASSERT_TRUE(s->write("event " + std::to_string(round)));
  for (auto& c : clients) {
    c.read_until("\r\n\r\n");
    for (auto round = 0; round < 20; ++round)
      ASSERT_EQ(c.read_chunk(), "event " + std::to_string(round));
  }
}

TEST_F(GateAsync, DrainsWhatIsInFlight) {
  start();
  auto idle = client();
  ASSERT_EQ(idle.get("/hello").status, 200);
  auto busy = client();
  busy.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  auto x = parked_.pop();
  auto cut = size_t{99};
  std::thread stopper{[&] {
    cut = server_->drain(patience);
  }};
  EXPECT_TRUE(idle.ends()) << "idle connections close at once";
  auto late = client();
  EXPECT_EQ(late.get("/hello").status, 503);
  x->respond({200, {}, "finished"});
  auto answer = busy.read_answer();
  EXPECT_EQ(answer.body, "finished");
  EXPECT_EQ(answer.field("Connection"), "close");
  stopper.join();
  EXPECT_EQ(cut, 0u);
  EXPECT_EQ(server_->drain(patience), 0u) << "a second drain does nothing";
}

TEST_F(GateAsync, EndsStreamsWhenItDrains) {
  start();
  auto c = client();
  c.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
  auto s = streams_.pop();
  s->write("event");
  EXPECT_EQ(server_->drain(patience), 0u);
  EXPECT_EQ(c.read_answer().body, "event") << "with the last chunk";
  EXPECT_FALSE(s->write("more"));
}

TEST_F(GateAsync, CutsWhatDoesNotEndInTime) {
  start();
  auto c = client();
  c.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  auto x = parked_.pop();
  EXPECT_EQ(server_->drain(1ms), 1u);
  EXPECT_FALSE(closes_.pop());
  EXPECT_EQ(c.read_to_end(), "");
}

TEST_F(GateAsync, SurvivesManyClientsThatComeAndGo) {
  start();
  std::vector<std::thread> threads;
  std::atomic<int> answered{0};
  for (auto t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (auto i = 0; i < 250; ++i) {
        auto c = client();
        c.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
        if ((i + t) % 3 == 0)
          c.abort();
        else
          answered += c.read_answer().status == 200;
      }
    });
  for (auto& t : threads)
    t.join();
  EXPECT_GE(answered, 660);
  await_connections(0);
}

} // namespace
} // namespace musetalk::http::test
