#include <fstream>
#include <thread>

#include "tests/http/gate_fixture.hpp"

namespace musetalk::http::test {
namespace {

using namespace std::chrono_literals;
using GateUpload = gate_test;

const std::string upload_head = "POST /upload HTTP/1.1\r\nHost: a\r\n";

std::string with_length(size_t size) {
  return upload_head + "Content-Length: " + std::to_string(size) + "\r\n\r\n";
}

/// Resident memory of this process.
size_t resident_bytes() {
  std::ifstream in{"/proc/self/statm"};
  size_t total = 0, resident = 0;
  in >> total >> resident;
  return resident * 4096;
}

/// A sink that throws at its first byte.
class throwing_sink final : public body_sink {
public:
  explicit throwing_sink(std::shared_ptr<sink_events> events) : events_(std::move(events)) {}
  void write(std::span<const std::byte>) override {
    throw error(errc::request_media_type, "No such thing here.");
  }
  void finish() override { events_->ends.push("finish"); }
  void abort(const error& why) noexcept override {
    events_->ends.push(std::string{to_string(why.code())});
  }

private:
  std::shared_ptr<sink_events> events_;
};

/// A sink that takes longer than a client takes to send.
class grinding_sink final : public body_sink {
public:
  explicit grinding_sink(std::shared_ptr<sink_events> events) : events_(std::move(events)) {}
  void write(std::span<const std::byte> bytes) override {
    for (auto round = 0; round < 20; ++round)
      for (auto x : bytes)
        sum_ = sum_ * 31 + std::to_integer<unsigned>(x);
    events_->bytes += bytes.size();
  }
  void finish() override { events_->ends.push("finish " + std::to_string(sum_)); }
  void abort(const error& why) noexcept override {
    events_->ends.push(std::string{to_string(why.code())});
  }

private:
  std::shared_ptr<sink_events> events_;
  unsigned sum_ = 0;
};

TEST_F(GateUpload, GoesToItsSink) {
  start();
  auto c = client();
  c.send(with_length(1 << 20));
  c.send(std::string(1 << 20, 'x'));
  EXPECT_EQ(c.read_answer().body, std::to_string(1 << 20));
  EXPECT_EQ(sink_->ends.pop(), "finish");
  EXPECT_EQ(c.get("/hello").body, "hi");
}

TEST_F(GateUpload, GoesToItsSinkInChunks) {
  start();
  auto c = client();
  c.send(upload_head + "Transfer-Encoding: chunked\r\n\r\n");
  for (auto i = 0; i < 64; ++i)
    c.send("4000\r\n" + std::string(0x4000, 'x') + "\r\n");
  c.send("0\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(c.read_answer().body, std::to_string(64 * 0x4000));
  EXPECT_EQ(c.read_answer().body, "hi");
}

TEST_F(GateUpload, MayBeEmpty) {
  start();
  auto c = client();
  c.send(upload_head + "\r\n");
  EXPECT_EQ(c.read_answer().body, "0");
}

TEST_F(GateUpload, TakesNoMemory) {
  start();
  auto c = client();
  constexpr size_t size = 300 << 20;
  auto piece = std::string(1 << 20, 'x');
  c.send(with_length(size));
  auto before = resident_bytes();
  auto most = before;
  for (size_t sent = 0; sent < size; sent += piece.size()) {
    ASSERT_TRUE(c.send(piece));
    most = std::max(most, resident_bytes());
  }
  EXPECT_EQ(c.read_answer().body, std::to_string(size));
  EXPECT_LT(most - before, 8u << 20);
}

// A sender that is faster than its sink never lets the socket run empty.
TEST_F(GateUpload, LeavesOthersTheirTurnOnTheSameThread) {
  routes_.add_upload("POST", "/slow", {1ull << 40},
                     [this](exchange_ptr) { return std::make_unique<grinding_sink>(sink_); });
  start([](server_options& options) { options.threads = 1; });
  std::atomic<bool> stop{false};
  std::thread sender{[&] {
    auto c = client();
    c.send("POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000\r\n\r\n");
    auto piece = std::string(1 << 20, 'x');
    while (!stop && c.send(piece))
      ;
  }};
  auto until = std::chrono::steady_clock::now() + patience;
  while (sink_->bytes < (16u << 20) && std::chrono::steady_clock::now() < until)
    std::this_thread::yield();
  auto c = client();
  for (auto i = 0; i < 10; ++i)
    EXPECT_EQ(c.get("/hello").status, 200);
  EXPECT_TRUE(sink_->ends.empty()) << "the upload was still under way";
  stop = true;
  sender.join();
}

TEST_F(GateUpload, TellsTheSinkWhenTheClientLeaves) {
  start();
  auto c = client();
  c.send(with_length(100) + "some");
  c.close();
  EXPECT_EQ(sink_->ends.pop(), "request.aborted");
}

TEST_F(GateUpload, TellsTheSinkWhenTheClientStalls) {
  start(on(clock_));
  auto c = client();
  c.send(upload_head + "Expect: 100-continue\r\nContent-Length: 100\r\n\r\n");
  ASSERT_EQ(c.read_answer().status, 100);
  clock_.advance(21s);
  EXPECT_EQ(sink_->ends.pop(), "request.timeout");
  EXPECT_EQ(c.read_answer().status, 408);
}

TEST_F(GateUpload, TellsTheSinkOfAMalformedBody) {
  start();
  auto c = client();
  c.send(upload_head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef");
  EXPECT_EQ(sink_->ends.pop(), "request.malformed");
  EXPECT_EQ(c.read_answer().status, 400);
}

TEST_F(GateUpload, TellsTheSinkOfATooLongBody) {
  routes_.add_upload("POST", "/little", {10}, [this](exchange_ptr x) {
    return std::make_unique<recording_sink>(std::move(x), sink_);
  });
  start();
  auto c = client();
  c.send("POST /little HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
         "chunked\r\n\r\n8\r\n12345678\r\n8\r\n");
  EXPECT_EQ(sink_->ends.pop(), "request.too_large");
  EXPECT_EQ(c.read_answer().status, 413);
}

TEST_F(GateUpload, AnswersWhatASinkThrowsToAClientStillSending) {
  routes_.add_upload("POST", "/throwing", {1 << 30},
                     [this](exchange_ptr) { return std::make_unique<throwing_sink>(sink_); });
  start();
  auto c = client();
  constexpr size_t size = 32 << 20;
  c.send("POST /throwing HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) +
         "\r\n\r\n");
  EXPECT_TRUE(c.send(std::string(size, 'x')));
  EXPECT_EQ(c.read_answer().status, 415);
  EXPECT_TRUE(c.ends());
  EXPECT_EQ(sink_->ends.pop(), "request.media_type");
  EXPECT_TRUE(sink_->ends.empty());
}

TEST_F(GateUpload, AnswersWhatAFactoryThrowsBeforeTheBody) {
  routes_.add_upload("POST", "/closed", {1 << 30}, [](exchange_ptr) -> std::unique_ptr<body_sink> {
    throw error(errc::stopping, "Not today.");
  });
  start();
  auto c = client();
  c.send("POST /closed HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: "
         "1000000\r\n\r\n");
  EXPECT_EQ(c.read_answer().status, 503);
  EXPECT_TRUE(c.ends());
}

TEST_F(GateUpload, MayBeAnsweredByAnotherThreadBeforeItsEnd) {
  channel<exchange_ptr> exchanges;
  routes_.add_upload("POST", "/early", {1 << 30}, [&](exchange_ptr x) {
    exchanges.push(x);
    return std::make_unique<recording_sink>(std::move(x), sink_);
  });
  start();
  auto c = client();
  c.send("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nsome");
  exchanges.pop()->respond({200, {}, "enough"});
  auto answer = c.read_answer();
  EXPECT_EQ(answer.body, "enough");
  EXPECT_EQ(answer.field("Connection"), "close");
  EXPECT_TRUE(c.ends());
  EXPECT_EQ(sink_->ends.pop(), to_string(errc::cancelled));
}

TEST_F(GateUpload, WithoutASinkOrAnAnswerIsOurFault) {
  routes_.add_upload("POST", "/none", {1 << 30}, [](exchange_ptr) { return nullptr; });
  start();
  auto c = client();
  c.send("POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(c.read_answer().status, 500);
}

} // namespace
} // namespace musetalk::http::test
