#include <random>

#include "tests/http/gate_socket_fixture.hpp"

namespace musetalk::http::test {
namespace {

using namespace std::chrono_literals;
using GateSocketAgainst = gate_socket_test;

std::string without(std::string text, std::string_view line) {
  auto at = text.find(line);
  return at == text.npos ? "(no such line)" : text.erase(at, text.find("\r\n", at) + 2 - at);
}

TEST_F(GateSocketAgainst, BadHandshakes) {
  start();
  auto good = socket_client::handshake("/socket");
  const std::pair<int, std::string> requests[] = {
      {426, "GET /socket HTTP/1.1\r\nHost: a\r\n\r\n"},
      {426, without(good, "Upgrade:")},
      {426, without(good, "Connection:")},
      {426, without(good, "Sec-WebSocket-Version")},
      {400, without(good, "Sec-WebSocket-Key")},
      {426, without(good, "Sec-WebSocket-Version")
                .insert(good.find("Host"), "Sec-WebSocket-Version: 8\r\n")},
      {400,
       without(good, "Sec-WebSocket-Key").insert(good.find("Host"), "Sec-WebSocket-Key: abc\r\n")},
      {400, without(good, "Sec-WebSocket-Key")
                .insert(good.find("Host"), "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ===\r\n")},
      {400, std::string{good}.insert(good.find("Host"),
                                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")},
      {426, std::string{"GET /socket HTTP/1.0"} + good.substr(good.find("\r\n"))},
      {405, "POST" + good.substr(3)},
      {426, "HEAD" + good.substr(3)},
      {404, socket_client::handshake("/nowhere")},
  };
  for (auto& [status, request] : requests) {
    socket_client c{port_};
    c.send(request);
    EXPECT_EQ(c.read_answer(request.starts_with("HEAD")).status, status) << request;
  }
  EXPECT_TRUE(sockets_.empty());
  socket_client c{port_};
  c.send(requests[0].second);
  auto answer = c.read_answer();
  EXPECT_EQ(answer.field("Upgrade"), "websocket");
  EXPECT_EQ(answer.field("Sec-WebSocket-Version"), "13");
  EXPECT_EQ(c.get("/hello").status, 200) << "the connection goes on";
  // A path that is no socket answers as to any request.
  EXPECT_EQ(socket_client{port_}.open("/hello").status, 200);
}

TEST_F(GateSocketAgainst, FramesThatBreakTheRules) {
  options_.max_message_bytes = 1000;
  start();
  using c = socket_client;
  const std::tuple<std::string, int, std::string> cases[] = {
      {"not masked", 1002, c::frame(0x81, "hi", false)},
      {"unknown opcode", 1002, c::frame(0x83, "hi")},
      {"unknown opcode of control", 1002, c::frame(0x8b, "hi")},
      {"reserved bit", 1002, c::frame(0xc1, "hi")},
      {"control in fragments", 1002, c::frame(0x09, "hi")},
      {"long control", 1002, c::frame(0x89, std::string(126, 'x'))},
      {"nothing to go on with", 1002, c::frame(0x80, "hi")},
      {"new message within another", 1002, c::frame(0x01, "a") + c::frame(0x81, "b")},
      {"too large", 1009, c::frame(0x82, std::string(1001, 'x'))},
      {"too large in sum", 1009,
       c::frame(0x02, std::string(600, 'x')) + c::frame(0x80, std::string(600, 'x'))},
      {"told to be huge", 1009,
       "\x82\xff" + std::string{"\x7f\xff\xff\xff\xff\xff\xff\xff", 8} + "mask"},
      {"size with its highest bit", 1009,
       "\x82\xff" + std::string{"\xff\xff\xff\xff\xff\xff\xff\xff", 8} + "mask"},
      {"size written too long", 1002, "\x82\xfe" + std::string{"\x00\x05", 2} + "maskabcde"},
      {"text that is no UTF-8", 1007, c::frame(0x81, "\xc3\x28")},
      {"goodbye with half a code", 1002, c::frame(0x88, "\x03")},
      {"goodbye with a forbidden code", 1002, c::frame(0x88, "\x03\xed")},
      {"goodbye that is no UTF-8", 1002, c::frame(0x88, "\x03\xe8\xff\xff")},
  };
  for (auto& [what, code, bytes] : cases) {
    auto client = open();
    client.send(bytes);
    auto goodbye = client.read_frame();
    EXPECT_EQ(goodbye.opcode, op_close) << what;
    EXPECT_TRUE(goodbye.code() == code || (code == 1002 && goodbye.code() == 1007))
        << what << ": " << goodbye.code();
    EXPECT_TRUE(client.ends()) << what;
    client.close();
    user_->ends.pop();
  }
  EXPECT_TRUE(user_->messages.empty());
  await_connections(0);
}

TEST_F(GateSocketAgainst, MessagesThatMakeUsThrow) {
  start();
  auto c = open();
  c.say_text("throw");
  auto goodbye = c.read_frame();
  EXPECT_EQ(goodbye.code(), 1011);
  EXPECT_EQ(goodbye.payload.find("secret"), std::string::npos);
}

TEST_F(GateSocketAgainst, ClientsThatNeverRead) {
  start(on(clock_));
  auto c = open(4096);
  auto socket = sockets_.pop();
  auto other = open();
  while (socket->send(message_kind::binary, std::string(64 * 1024, 'x')))
    ;
  EXPECT_LE(socket->backlog(), options_.max_queued_bytes + 64 * 1024);
  other.say_text("served");
  EXPECT_EQ(other.read_message(), "served") << "others do not wait for it";
  other.say_close(1000);
  other.read_to_end();
  other.close();
  EXPECT_EQ(user_->ends.pop(), 1000);
  // Bytes still move into buffers for a while, and each counts as progress.
  while (user_->ends.empty())
    clock_.advance(1s);
  EXPECT_EQ(user_->ends.pop(), 1006);
}

TEST_F(GateSocketAgainst, ClientsThatFallSilent) {
  start(on(clock_));
  auto c = open();
  auto dead = open();
  c.say_text("here");
  EXPECT_EQ(c.read_message(), "here");
  clock_.advance(31s);
  EXPECT_EQ(c.read_frame().opcode, op_ping);
  EXPECT_EQ(dead.read_frame().opcode, op_ping);
  c.say(op_pong, "");
  c.say_text("still here");
  EXPECT_EQ(c.read_message(), "still here");
  clock_.advance(31s);
  EXPECT_TRUE(dead.ends());
  EXPECT_EQ(user_->ends.pop(), 1006);
  EXPECT_EQ(c.read_frame().opcode, op_ping);
}

TEST_F(GateSocketAgainst, FramesThatComeByteByByte) {
  start(on(clock_));
  auto c = open();
  // The first byte comes with a message before it, so that it is surely there when time passes.
  c.send(socket_client::frame(0x81, "whole") + "\x81");
  EXPECT_EQ(c.read_message(), "whole");
  auto rest = socket_client::frame(0x81, std::string(100, 'x')).substr(1);
  for (auto i = 0; !c.readable_within(1ms) && i < 90; ++i) {
    c.send(rest.substr(static_cast<size_t>(i), 1));
    clock_.advance(1s);
  }
  auto goodbye = c.read_frame();
  EXPECT_EQ(goodbye.opcode, op_close);
  EXPECT_EQ(goodbye.code(), 1008);
  EXPECT_TRUE(user_->messages.pop() == "whole" && user_->messages.empty());
}

TEST_F(GateSocketAgainst, ClientsThatDoNotAnswerAGoodbye) {
  start(on(clock_));
  auto c = open();
  sockets_.pop()->close(close_code::normal, "");
  EXPECT_EQ(c.read_frame().opcode, op_close);
  while (user_->ends.empty())
    clock_.advance(1s);
  user_->ends.pop();
  await_connections(0);
}

TEST_F(GateSocketAgainst, ClientsThatLeaveInTheMiddle) {
  start();
  ASSERT_EQ(client().get("/hello").status, 200);
  await_connections(0);
  auto files = open_files();
  auto whole = socket_client::frame(0x82, std::string(5000, 'x'));
  for (auto i = 0; i < 40; ++i) {
    auto c = open();
    c.send(whole.substr(0, 1 + static_cast<size_t>(i) * 100));
    i % 2 ? c.abort() : c.close();
    EXPECT_EQ(user_->ends.pop(), 1006);
  }
  for (auto i = 0; i < 10; ++i) {
    socket_client c{port_};
    c.send(socket_client::handshake("/socket").substr(0, 40 + static_cast<size_t>(i) * 10));
    c.abort();
  }
  await_connections(0);
  EXPECT_EQ(open_files(), files);
}

TEST_F(GateSocketAgainst, AThousandAtOnce) {
  options_.max_queued_bytes = 1 << 20;
  start();
  ASSERT_EQ(client().get("/hello").status, 200);
  await_connections(0);
  auto files = open_files();
  constexpr auto count = size_t{1000};
  auto clients = std::vector<socket_client>{};
  auto sockets = std::vector<web_socket_ptr>{};
  for (size_t i = 0; i < count; ++i) {
    clients.emplace_back(open());
    sockets.push_back(sockets_.pop());
  }
  await_connections(count);
  EXPECT_LE(open_files(), files + 2 * count) << "one here, one there: no duplicates are left";
  for (auto& x : sockets)
    for (auto i = 0; i < 3; ++i)
      ASSERT_TRUE(x->send(message_kind::text, "event " + std::to_string(i)));
  for (auto& x : clients)
    for (auto i = 0; i < 3; ++i)
      ASSERT_EQ(x.read_message(), "event " + std::to_string(i));
  for (auto& x : clients)
    x.say_text("thanks");
  for (size_t i = 0; i < count; ++i)
    ASSERT_EQ(user_->messages.pop(), "thanks");
  clients.clear();
  for (size_t i = 0; i < count; ++i)
    user_->ends.pop();
  await_connections(0);
  EXPECT_EQ(open_files(), files);
}

TEST_F(GateSocketAgainst, Noise) {
  start();
  ASSERT_EQ(client().get("/hello").status, 200);
  await_connections(0);
  auto files = open_files();
  const std::string starts[] = {
      socket_client::frame(0x81, "hello"),
      socket_client::frame(0x01, "he") + socket_client::frame(0x80, "llo"),
      socket_client::frame(0x89, "ping"), socket_client::frame(0x88, "\x03\xe8"),
      socket_client::frame(0x82, std::string(300, 'x'))};
  std::mt19937 random{77};
  for (auto round = 0; round < 500; ++round) {
    auto text = starts[random() % 5] + starts[random() % 5] + starts[random() % 5];
    for (auto hits = random() % 4; hits > 0; --hits)
      text[random() % text.size()] = static_cast<char>(random());
    auto c = open();
    for (auto rest = std::string_view{text}; !rest.empty();) {
      auto size = std::min<size_t>(rest.size(), 1 + random() % 40);
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
  await_connections(0);
  EXPECT_EQ(open_files(), files);
  auto c = open();
  c.say_text("alive");
  EXPECT_EQ(c.read_message(), "alive");
}

} // namespace
} // namespace musetalk::http::test
