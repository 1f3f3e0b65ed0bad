#include "tests/http/gate_fixture.hpp"

namespace musetalk::http::test {
namespace {

using GateBasics = gate_test;

TEST_F(GateBasics, AnswersAGet) {
  start();
  auto answer = client().get("/hello");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "hi");
  EXPECT_EQ(answer.field("Content-Length"), "2");
  EXPECT_EQ(answer.field("Date").size(), 29u);
  EXPECT_FALSE(answer.field("X-Request-Id").empty());
  EXPECT_EQ(answer.field("Connection"), "");
}

TEST_F(GateBasics, KeepsAConnectionForManyRequests) {
  start();
  auto c = client();
  for (auto i = 0; i < 100; ++i)
    ASSERT_EQ(c.get("/hello").body, "hi");
  EXPECT_EQ(server_->connections(), 1u);
}

TEST_F(GateBasics, HandsBodiesOver) {
  start();
  auto c = client();
  c.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(c.read_answer().body, "hello");
  c.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
         "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(c.read_answer().body, "abcde");
  c.send("POST /echo HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(c.read_answer().body, "");
}

TEST_F(GateBasics, DecodesPathsAndQueries) {
  start();
  auto c = client();
  EXPECT_EQ(c.get("/item/a%20b%2F%C3%A4?q=1%2B1").body, "a b/\xc3\xa4 1+1");
  EXPECT_EQ(c.get("/item/a%00b").status, 400);
  EXPECT_EQ(c.get("/item/%ff").status, 400);
  EXPECT_EQ(c.get("/item/a?q=%zz").status, 400);
  EXPECT_EQ(c.get("/hello").status, 200) << "the connection lives on";
}

TEST_F(GateBasics, TakesRequestsByteByByte) {
  start();
  auto c = client();
  for (auto byte :
       std::string{"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "3\r\nabc\r\n0\r\n\r\n"})
    c.send({&byte, 1});
  EXPECT_EQ(c.read_answer().body, "abc");
}

TEST_F(GateBasics, AnswersHeadWithoutABody) {
  start();
  auto c = client();
  c.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  auto answer = c.read_answer(true);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.field("Content-Length"), "2");
  EXPECT_EQ(c.get("/hello").body, "hi") << "no body lies between the answers";
}

TEST_F(GateBasics, AnswersOptionsByItself) {
  start();
  auto c = client();
  c.send("OPTIONS /echo HTTP/1.1\r\nHost: a\r\n\r\n");
  auto answer = c.read_answer();
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.field("Allow"), "POST, OPTIONS");
  EXPECT_EQ(answer.field("Content-Length"), "");
  c.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(c.read_answer().status, 204);
}

TEST_F(GateBasics, KnowsNoOtherPathsAndMethods) {
  start();
  auto c = client();
  auto missing = c.get("/nothing");
  EXPECT_EQ(missing.status, 404);
  EXPECT_TRUE(missing.body.starts_with("route.not_found")) << missing.body;
  c.send("DELETE /echo HTTP/1.1\r\nHost: a\r\n\r\n");
  auto refused = c.read_answer();
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.field("Allow"), "POST, OPTIONS");
  c.send("BREW /echo HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(c.read_answer().status, 405);
  EXPECT_EQ(c.get("/hello").status, 200);
}

TEST_F(GateBasics, ReadsSmallBodiesOfRefusedRequestsAway) {
  start();
  auto c = client();
  c.send("POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(c.read_answer().status, 404);
  EXPECT_EQ(c.get("/hello").body, "hi");
}

TEST_F(GateBasics, TellsNothingOfWhatAHandlerThrows) {
  start();
  auto c = client();
  auto thrown = c.get("/throws");
  EXPECT_EQ(thrown.status, 500);
  EXPECT_EQ(thrown.body.find("secret"), std::string::npos);
  auto failed = c.get("/fails");
  EXPECT_EQ(failed.status, 400);
  EXPECT_NE(failed.body.find("told so"), std::string::npos);
  EXPECT_EQ(failed.body.find("secret"), std::string::npos);
}

TEST_F(GateBasics, AnswersForAHandlerThatDoesNot) {
  start();
  EXPECT_EQ(client().get("/silent").status, 500);
}

TEST_F(GateBasics, AnswersPipelinedRequestsInOrder) {
  start();
  auto c = client();
  std::string requests;
  for (auto i = 0; i < 500; ++i)
    requests += "GET /item/" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
  c.send(requests);
  for (auto i = 0; i < 500; ++i)
    ASSERT_EQ(c.read_answer().body, std::to_string(i) + " ");
}

TEST_F(GateBasics, LetsPipelinedRequestsWaitForALateAnswer) {
  start();
  auto c = client();
  c.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  parked_.pop()->respond({200, {}, "first"});
  EXPECT_EQ(c.read_answer().body, "first");
  EXPECT_EQ(c.read_answer().body, "hi");
}

TEST_F(GateBasics, TakesARequestRightBehindABody) {
  start();
  auto c = client();
  c.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /hello "
         "HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(c.read_answer().body, "abc");
  EXPECT_EQ(c.read_answer().body, "hi");
}

TEST_F(GateBasics, ClosesForHttp10) {
  start();
  auto c = client();
  c.send("GET /hello HTTP/1.0\r\n\r\n");
  auto answer = c.read_answer();
  EXPECT_EQ(answer.body, "hi");
  EXPECT_EQ(answer.field("Connection"), "close");
  EXPECT_TRUE(c.ends());
}

TEST_F(GateBasics, KeepsHttp10ThatAsksForIt) {
  start();
  auto c = client();
  c.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(c.read_answer().field("Connection"), "keep-alive");
  EXPECT_EQ(c.get("/hello").body, "hi");
}

TEST_F(GateBasics, ClosesWhenAskedTo) {
  start();
  auto c = client();
  c.send("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(c.read_answer().field("Connection"), "close");
  EXPECT_TRUE(c.ends());
  c.close();
  await_connections(0);
}

TEST_F(GateBasics, AnswersAClientThatOnlyEndsItsSide) {
  start();
  auto c = client();
  c.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  c.end_sending();
  parked_.pop()->respond({200, {}, "still"});
  EXPECT_EQ(c.read_answer().body, "still");
  EXPECT_TRUE(c.ends());
}

TEST_F(GateBasics, SaysContinueWhenABodyIsWanted) {
  start();
  auto c = client();
  c.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(c.read_answer().status, 100);
  c.send("ok");
  EXPECT_EQ(c.read_answer().body, "ok");
}

TEST_F(GateBasics, RefusesWithoutContinue) {
  start();
  auto c = client();
  c.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9999\r\n\r\n");
  EXPECT_EQ(c.read_answer().status, 413);
  EXPECT_TRUE(c.ends());
}

TEST_F(GateBasics, NamesEachRequest) {
  start();
  auto c = client();
  auto one = c.get("/hello").field("X-Request-Id");
  EXPECT_NE(one, c.get("/hello").field("X-Request-Id"));
  c.send("GET /hello HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine-1.2_3\r\n\r\n");
  EXPECT_EQ(c.read_answer().field("X-Request-Id"), "mine-1.2_3");
  c.send("GET /hello HTTP/1.1\r\nHost: a\r\nX-Request-Id: <script>\r\n\r\n");
  EXPECT_NE(c.read_answer().field("X-Request-Id"), "<script>");
}

TEST_F(GateBasics, LetsNoValueBreakOutOfItsField) {
  routes_.add("GET", "/split", {}, [](exchange_ptr x) {
    x->respond({200, {{"X-Evil", "a\r\nX-Injected: yes"}}, {}});
  });
  start();
  auto answer = client().get("/split");
  EXPECT_EQ(answer.field("X-Injected"), "");
  EXPECT_EQ(answer.field("X-Evil"), "a  X-Injected: yes");
}

TEST_F(GateBasics, ReportsEachRequest) {
  start();
  auto c = client();
  auto answer = c.get("/item/x?q=1");
  auto record = accesses_.pop();
  EXPECT_EQ(record.request_id, answer.field("X-Request-Id"));
  EXPECT_EQ(record.method, "GET");
  EXPECT_EQ(record.path, "/item/x");
  EXPECT_EQ(record.pattern, "/item/:id");
  EXPECT_EQ(record.status, 200);
  EXPECT_EQ(record.bytes_out, answer.head.size() + answer.body.size());
  EXPECT_TRUE(record.delivered);
  EXPECT_TRUE(record.remote.starts_with("127.0.0.1:"));
  c.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
  c.read_answer();
  EXPECT_EQ(accesses_.pop().bytes_in, 3u);
}

TEST_F(GateBasics, ServesIpv6) {
  start([](server_options& options) { options.host = "::1"; });
  raw_client c{port_, 0, true};
  EXPECT_EQ(c.get("/hello").body, "hi");
  EXPECT_TRUE(accesses_.pop().remote.starts_with("[::1]:"));
}

TEST_F(GateBasics, RefusesNamesAndTakenPorts) {
  start();
  server_options taken;
  taken.port = port_;
  EXPECT_THROW(http_server(taken, router{}).listen(), error);
  server_options named;
  named.host = "localhost";
  EXPECT_THROW(http_server(named, router{}).listen(), error);
}

} // namespace
} // namespace musetalk::http::test
