#include <thread>

#include "http/gate/socket_times.hpp"
#include "tests/http/gate_socket_fixture.hpp"

namespace musetalk::http::test {
namespace {

using namespace std::chrono_literals;
using GateSocket = gate_socket_test;

TEST_F(GateSocket, OpensAsTheStandardsExample) {
  start();
  socket_client c{port_};
  auto answer = c.open("/socket", "Sec-WebSocket-Extensions: permessage-deflate\r\n"
                                  "X-Request-Id: r7\r\n");
  EXPECT_EQ(answer.status, 101);
  EXPECT_EQ(answer.field("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(answer.field("X-Request-Id"), "r7");
  EXPECT_EQ(answer.field("Sec-WebSocket-Extensions"), "") << "no compression";
  EXPECT_EQ(answer.field("Server"), "musetalkd");
}

TEST_F(GateSocket, CarriesTextAndBytesBothWays) {
  start();
  auto c = open();
  c.say_text("grüße");
  auto text = c.read_frame();
  EXPECT_EQ(text.opcode, op_text);
  EXPECT_EQ(text.payload, "grüße");
  auto bytes = std::string{"\0\xff\x80", 3};
  c.say(op_binary, bytes);
  auto binary = c.read_frame();
  EXPECT_EQ(binary.opcode, op_binary);
  EXPECT_EQ(binary.payload, bytes);
  c.say_text("");
  EXPECT_EQ(c.read_frame().payload, "");
}

TEST_F(GateSocket, CarriesLargeMessages) {
  options_.max_message_bytes = 4 << 20;
  start();
  auto c = open();
  auto large = std::string(3 << 20, 'x');
  large[1'000'000] = 'y';
  std::jthread sender{[&] {
    c.say(op_binary, large);
  }};
  EXPECT_EQ(user_->messages.pop(), large);
  EXPECT_EQ(c.read_frame().payload, large) << "longer than the queue, which was empty";
}

TEST_F(GateSocket, TakesFramesThatFollowTheHandshakeAtOnce) {
  start();
  socket_client c{port_};
  c.send(socket_client::handshake("/socket") + socket_client::frame(0x81, "early"));
  EXPECT_NE(c.read_until("\r\n\r\n").find("101"), std::string::npos);
  EXPECT_EQ(c.read_message(), "early");
  c.say_text("later");
  EXPECT_EQ(c.read_message(), "later");
}

TEST_F(GateSocket, PutsFragmentsTogetherAndAnswersPingsBetweenThem) {
  start();
  auto c = open();
  c.send(socket_client::frame(op_text, "one "));
  c.say(op_ping, "are you there");
  auto pong = c.read_frame();
  EXPECT_EQ(pong.opcode, op_pong);
  EXPECT_EQ(pong.payload, "are you there");
  c.send(socket_client::frame(op_more, "two "));
  c.send(socket_client::frame(0x80 | op_more, "three"));
  EXPECT_EQ(c.read_message(), "one two three");
}

TEST_F(GateSocket, EndsWhenTheClientSaysGoodbye) {
  start();
  auto c = open();
  c.say_close(4001);
  auto goodbye = c.read_frame();
  EXPECT_EQ(goodbye.opcode, op_close);
  EXPECT_EQ(goodbye.code(), 4001);
  EXPECT_TRUE(c.ends());
  c.close();
  EXPECT_EQ(user_->ends.pop(), 4001);
  await_connections(0);
  auto access = accesses_.pop();
  EXPECT_EQ(access.status, 101);
  EXPECT_EQ(access.pattern, "/socket");
  EXPECT_TRUE(access.delivered);
}

TEST_F(GateSocket, SaysGoodbyeAfterWhatIsQueued) {
  start();
  auto c = open();
  auto socket = sockets_.pop();
  EXPECT_TRUE(socket->send(message_kind::text, "last words"));
  socket->close(close_code::try_again, "come back");
  EXPECT_FALSE(socket->open());
  EXPECT_FALSE(socket->send(message_kind::text, "too late"));
  EXPECT_EQ(c.read_message(), "last words");
  auto goodbye = c.read_frame();
  EXPECT_EQ(goodbye.opcode, op_close);
  EXPECT_EQ(goodbye.code(), 1013);
  EXPECT_EQ(goodbye.payload.substr(2), "come back");
  c.say_close(1013);
  EXPECT_TRUE(c.ends());
  c.close();
  EXPECT_EQ(user_->ends.pop(), 1013);
}

TEST_F(GateSocket, TellsWhenAFullQueueHasRoom) {
  options_.max_queued_bytes = 1 << 20;
  start();
  auto c = open(4096);
  auto socket = sockets_.pop();
  auto sent = 0;
  while (socket->send(message_kind::binary, std::string(64 * 1024, 'x')))
    ++sent;
  EXPECT_GE(sent, 16);
  EXPECT_GT(socket->backlog(), 900'000u);
  EXPECT_TRUE(user_->rooms.empty());
  for (auto i = 0; i < sent; ++i)
    ASSERT_EQ(c.read_frame().payload.size(), 64u * 1024);
  EXPECT_TRUE(user_->rooms.pop());
  EXPECT_TRUE(socket->send(message_kind::text, "on"));
  EXPECT_EQ(c.read_message(), "on");
}

TEST_F(GateSocket, LetsTheClientFeelThatItsMessagesAreNotTaken) {
  options_.max_message_bytes = 1 << 20;
  user_->echo = false;
  start();
  auto c = open();
  auto socket = sockets_.pop();
  c.say_text("hold");
  EXPECT_EQ(user_->messages.pop(), "hold");
  auto more = std::string(1 << 20, 'x');
  std::atomic<int> sent{0};
  std::jthread sender{[&] {
    for (; sent < 20; ++sent)
      c.say(op_binary, more);
  }};
  // Kernels take some of it, never all: what would be taken if anybody read would come here.
  ASSERT_EQ(client().get("/hello").status, 200);
  EXPECT_TRUE(user_->messages.empty());
  socket->resume();
  for (auto i = 0; i < 20; ++i)
    EXPECT_EQ(user_->messages.pop().size(), more.size());
}

TEST_F(GateSocket, CanBeOpenedLaterAndFromAnotherThread) {
  start();
  socket_client c{port_};
  c.send(socket_client::handshake("/later"));
  auto x = parked_.pop();
  auto socket = x->upgrade(options_, user_);
  ASSERT_TRUE(socket);
  EXPECT_TRUE(socket->send(message_kind::text, "first"));
  EXPECT_EQ(x->upgrade(options_, user_), nullptr);
  EXPECT_FALSE(x->respond({200, {}, "no"}));
  EXPECT_NE(c.read_until("\r\n\r\n").find("101"), std::string::npos);
  EXPECT_EQ(c.read_message(), "first");
}

TEST_F(GateSocket, EndsWhenTheClientLeftBeforeItWasOpened) {
  start();
  socket_client c{port_};
  c.send(socket_client::handshake("/later"));
  auto x = parked_.pop();
  c.abort();
  // None when that was seen already.
  if (x->upgrade(options_, user_)) {
    EXPECT_EQ(user_->ends.pop(), 1006);
  }
  x.reset();
  await_connections(0);
}

TEST_F(GateSocket, IsNotSharedByMoreThanAllowed) {
  start([](server_options& options) { options.limits.max_sockets = 2; });
  auto one = open();
  auto two = open();
  socket_client three{port_};
  three.send(socket_client::handshake("/socket"));
  EXPECT_EQ(three.read_answer().status, 500) << "without a renderer";
  EXPECT_EQ(three.get("/hello").status, 200) << "it is still HTTP";
  two.say_close(1000);
  two.read_to_end();
  two.close();
  EXPECT_EQ(user_->ends.pop(), 1000);
  await_connections(2);
  auto again = open();
}

TEST_F(GateSocket, IsToldThatTheServerStops) {
  start();
  auto c = open();
  sockets_.pop();
  std::jthread stop{[&] {
    EXPECT_EQ(server_->drain(10s), 0u);
  }};
  auto goodbye = c.read_frame();
  EXPECT_EQ(goodbye.opcode, op_close);
  EXPECT_EQ(goodbye.code(), 1001);
  c.say_close(1001);
  c.read_to_end();
  c.close();
  EXPECT_EQ(user_->ends.pop(), 1001);
}

// -- how long it waits ---------------------------------------------------------------

constexpr auto idle = 60'000ms;

TEST(SocketTimes, AskOnceAndThenGiveUp) {
  auto t0 = gate::time_point{1h};
  auto x = gate::socket_times{t0};
  auto bounds = gate::limits{};
  EXPECT_EQ(x.look(t0 + 30s, bounds, idle), gate::socket_times::verdict::fine);
  EXPECT_EQ(x.look(t0 + 31s, bounds, idle), gate::socket_times::verdict::ping);
  EXPECT_EQ(x.look(t0 + 32s, bounds, idle), gate::socket_times::verdict::fine);
  EXPECT_EQ(x.look(t0 + 61s, bounds, idle), gate::socket_times::verdict::gone);
  x.heard(2, t0 + 61s);
  x.whole();
  EXPECT_EQ(x.look(t0 + 92s, bounds, idle), gate::socket_times::verdict::ping);
}

TEST(SocketTimes, TakeASlowMessageButNotForEver) {
  auto t0 = gate::time_point{1h};
  auto bounds = gate::limits{};
  auto x = gate::socket_times{t0};
  // A byte a second.
  auto now = t0;
  for (; x.look(now, bounds, idle) == gate::socket_times::verdict::fine && now < t0 + 1h; now += 1s)
    x.heard(1, now);
  EXPECT_EQ(x.look(now, bounds, idle), gate::socket_times::verdict::too_slow);
  EXPECT_LE(now, t0 + bounds.body_idle_timeout + 2s);
  // Fast enough, however long it takes.
  x = gate::socket_times{t0};
  for (now = t0; now < t0 + 1h; now += 1s) {
    x.heard(bounds.min_body_bytes_per_s, now);
    ASSERT_EQ(x.look(now, bounds, idle), gate::socket_times::verdict::fine);
  }
}

} // namespace
} // namespace musetalk::http::test
