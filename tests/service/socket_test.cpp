#include "tests/http/json_schema.hpp"
#include "tests/http/socket_client.hpp"
#include "tests/service/service_fixture.hpp"

#include <set>

// What happens as it happens, over a WebSocket, from outside.

namespace musetalk::tests {

using http::test::op_close;
using http::test::op_text;
using http::test::socket_client;

class Socket : public MockService {
protected:
  socket_client open() {
    auto result = socket_client{server->port()};
    EXPECT_EQ(result.open("/mgmt/v1/ws").status, 101);
    return result;
  }

  void start() {
    Service::start();
    document = get("/asyncapi.json");
  }

  /// The next message, held to its schema.
  json next(socket_client& from) {
    auto frame = from.read_frame();
    EXPECT_EQ(frame.opcode, op_text) << "close code " << frame.code();
    auto message = json::parse(frame.payload, nullptr, false);
    if (!message.is_object())
      throw std::runtime_error{"no message: " + frame.payload};
    auto schema = document.at("components")
                      .at("messages")
                      .at(message.at("type").get<std::string>())
                      .at("payload");
    EXPECT_EQ(violations(message, schema, document), std::vector<std::string>{}) << message;
    return message;
  }

  json wait_for(socket_client& from, const std::string& type) {
    auto message = next(from);
    while (message["type"] != type)
      message = next(from);
    return message;
  }

  json document;
};

TEST_F(Socket, FollowsAnUploadToItsEnd) {
  start();
  auto c = open();
  c.say_text(R"({"subscribe":{}})");
  EXPECT_EQ(next(c), (json{{"type", "subscribed"}, {"topic", "all"}}));
  EXPECT_EQ(next(c)["jobs"], json::array());
  auto id = body_of(upload("anna", media("carphone.mp4"), ""))["job_id"].get<std::string>();
  auto states = std::vector<std::string>{};
  auto fraction = 0.;
  while (states.empty() || states.back() != "completed") {
    auto message = next(c);
    EXPECT_EQ(message["topic"], "all");
    if (message["type"] == "state") {
      EXPECT_EQ(message["event"]["job_id"], id);
      states.push_back(message["event"]["status"]);
    } else {
      ASSERT_EQ(message["type"], "progress");
      EXPECT_GE(message["job"]["fraction"].get<double>(), fraction) << "it never falls";
      fraction = message["job"]["fraction"];
    }
  }
  EXPECT_EQ(states, (std::vector<std::string>{"queued", "running", "completed"}));
  // The one job, once more from its beginning.
  c.say_text(R"({"subscribe":{"job_id":")" + id + R"("},"after":0})");
  auto again = std::vector<std::string>{};
  for (auto message = next(c);; message = next(c)) {
    EXPECT_EQ(message["topic"], "job:" + id);
    again.push_back(message["type"]);
    if (message["type"] == "ended")
      break;
  }
  EXPECT_EQ(again, (std::vector<std::string>{"subscribed", "state", "state", "state", "snapshot",
                                             "ended"}));
}

TEST_F(Socket, LosesNothingWhenTheConnectionBreaksOrTheServiceRestarts) {
  start();
  auto seen = std::vector<int64_t>{};
  // Breaks off after every single state, as a lost network does.
  auto one_more = [&] {
    auto c = open();
    c.say_text(R"({"subscribe":{},"after":)" + std::to_string(seen.empty() ? 0 : seen.back()) +
               "}");
    seen.push_back(wait_for(c, "state")["event"]["sequence"]);
    c.abort();
  };
  auto expected = std::vector<int64_t>{};
  for (const auto* avatar : {"anna", "berta", "carla"}) {
    auto id = body_of(upload(avatar, media("one_frame.mp4"), ""))["job_id"].get<std::string>();
    one_more();
    final_job(id);
    auto job = get("/mgmt/v1/jobs/" + id + "?history=true");
    for (const auto& x : job["events"])
      expected.push_back(x["sequence"]);
    if (avatar == std::string{"berta"})
      start();
  }
  while (seen.size() < expected.size())
    one_more();
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(seen, expected);
}

TEST_F(Socket, CarriesSeveralTopicsAndLetsGoOfThem) {
  start();
  auto c = open();
  c.say_text(R"({"subscribe":{"avatar_id":"berta"}})");
  c.say_text(R"({"subscribe":{"job_id":"none"}})");
  c.say_text(R"({"ping":"between"})");
  EXPECT_EQ(next(c)["type"], "subscribed");
  EXPECT_EQ(next(c)["type"], "snapshot");
  auto refusal = next(c);
  EXPECT_EQ(refusal["code"], "job.not_found");
  EXPECT_EQ(refusal["topic"], "job:none");
  EXPECT_EQ(next(c), (json{{"type", "pong"}, {"ping", "between"}}));
  upload("anna", media("one_frame.mp4"));
  upload("berta", media("one_frame.mp4"));
  auto avatars_seen = std::set<std::string>{};
  for (auto states = 0; states < 3; ++states)
    avatars_seen.insert(wait_for(c, "state")["event"]["avatar_id"]);
  EXPECT_EQ(avatars_seen, std::set<std::string>{"berta"});
  c.say_text(R"({"unsubscribe":{"avatar_id":"berta"}})");
  EXPECT_EQ(wait_for(c, "unsubscribed")["topic"], "avatar:berta");
  upload("berta", media("carphone.mp4"));
  c.say_text(R"({"ping":2})");
  EXPECT_EQ(next(c)["type"], "pong") << "nothing more of berta";
}

TEST_F(Socket, ExplainsWhatItDoesNotTakeAndThenCloses) {
  start();
  auto c = open();
  for (auto i = 0; i < 5; ++i) {
    c.say_text(R"({"subscribe":"everything"})");
    auto message = next(c);
    EXPECT_EQ(message["code"], "request.field_invalid");
    EXPECT_EQ(message["topic"], nullptr);
  }
  auto goodbye = c.read_frame();
  EXPECT_EQ(goodbye.opcode, op_close);
  EXPECT_EQ(goodbye.code(), 1008);
}

TEST_F(Socket, RefusesPagesOfOtherSitesUnlessTheyAreAllowed) {
  settings["MUSETALKD_ALLOWED_ORIGINS"] = "https://desk.example";
  start();
  auto status_for = [&](const std::string& origin) {
    auto c = socket_client{server->port()};
    return c.open("/mgmt/v1/ws", "Origin: " + origin + "\r\n").status;
  };
  EXPECT_EQ(status_for("http://test"), 101) << "the Host that the client sends";
  EXPECT_EQ(status_for("https://desk.example"), 101);
  EXPECT_EQ(status_for("https://evil.example"), 403);
  EXPECT_EQ(status_for("null"), 403);
  EXPECT_TRUE(is_problem(client->Get("/mgmt/v1/ws"), 426, "request.upgrade_required"));
  EXPECT_EQ(client->Get("/mgmt/v1/ws")->get_header_value("Upgrade"), "websocket");
}

TEST_F(Socket, IsToldWhenTheServiceStops) {
  start();
  auto c = open();
  c.say_text(R"({"subscribe":{}})");
  wait_for(c, "snapshot");
  server->process().signal(SIGTERM);
  auto goodbye = c.read_frame();
  EXPECT_EQ(goodbye.opcode, op_close);
  EXPECT_EQ(goodbye.code(), 1001);
  c.say_close(1001);
  c.read_to_end();
  c.close();
  EXPECT_EQ(server->process().wait(), 0);
}

// -- the documents -------------------------------------------------------------------

TEST_F(Socket, IsDescribedByTheServiceItself) {
  start();
  auto open_document = get("/openapi.json");
  EXPECT_EQ(open_document["openapi"], "3.1.0");
  EXPECT_TRUE(open_document["paths"].contains("/mgmt/v1/avatars/{id}"));
  EXPECT_EQ(document["asyncapi"], "3.0.0");
  auto page = client->Get("/docs");
  EXPECT_EQ(page->status, 200);
  EXPECT_NE(page->get_header_value("Content-Security-Policy").find("default-src 'none'"),
            std::string::npos);
  for (auto part : {"/docs/page.js", "/docs/page.css"})
    EXPECT_EQ(client->Get(part)->status, 200) << part;
}

} // namespace musetalk::tests
