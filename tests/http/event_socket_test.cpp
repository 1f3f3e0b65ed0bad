#include "http/event_socket.hpp"

#include "http/json.hpp"
#include "http/origin.hpp"
#include "http/socket_messages.hpp"
#include "tests/http/fake_exchange.hpp"

#include <gmock/gmock.h>

namespace musetalk::http {

namespace {

using pipeline::job_state;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

pipeline::job_event event(int64_t sequence, job_state state) {
  return {sequence, "j1", 1'000'000, state, "registry", "", "anna", 1};
}

pipeline::job_view view(job_state state = job_state::running) {
  auto x = pipeline::job_view{};
  x.record.job_id = "j1";
  x.record.request.avatar_id = "anna";
  x.record.state = state;
  return x;
}

/// The code with which a message is refused.
std::string refusal_of(std::string_view text) {
  try {
    read_client_message(text);
  } catch (const error& what) {
    return std::string{to_string(what.code())};
  }
  return "(taken)";
}

} // namespace

TEST(ClientMessage, NamesWhatIsFollowed) {
  auto all = std::get<subscribe_message>(read_client_message(R"({"subscribe":{}})"));
  EXPECT_EQ(all.topic, "all");
  EXPECT_EQ(all.query.after, -1);
  auto job = std::get<subscribe_message>(
      read_client_message(R"({"subscribe":{"job_id":"j1"},"after":41})"));
  EXPECT_EQ(job.topic, "job:j1");
  EXPECT_EQ(job.query.job_id, "j1");
  EXPECT_EQ(job.query.after, 41);
  auto avatar =
      std::get<unsubscribe_message>(read_client_message(R"({"unsubscribe":{"avatar_id":"anna"}})"));
  EXPECT_EQ(avatar.topic, "avatar:anna");
  EXPECT_EQ(std::get<ping_message>(read_client_message(R"({"ping":"a\"b"})")).value, R"("a\"b")");
  EXPECT_EQ(std::get<ping_message>(read_client_message(R"({"ping":17})")).value, "17");
}

TEST(ClientMessage, IsRefusedByName) {
  for (auto text : {"", "x", "[]", "1", "\"subscribe\"", "{\"subscribe\":{}", "{,}"})
    EXPECT_EQ(refusal_of(text), "request.malformed") << text;
  EXPECT_EQ(refusal_of(std::string(10'000, '[')), "request.malformed");
  for (auto text : {R"({})", R"({"subscribe":{},"ping":1})"})
    EXPECT_EQ(refusal_of(text), "request.field_missing") << text;
  for (auto text :
       {R"({"subscribe":{},"extra":1})", R"({"unsubscribe":{},"after":1})", R"({"after":1})",
        R"({"subscribe":{"tutor_id":"t"}})", R"({"subscribe":{"job_id":"j","avatar_id":"a"}})"})
    EXPECT_EQ(refusal_of(text), "request.field_unknown") << text;
  for (auto text :
       {R"({"subscribe":[]})", R"({"subscribe":{"job_id":1}})", R"({"subscribe":{"job_id":""}})",
        R"({"subscribe":{},"after":-1})", R"({"subscribe":{},"after":1.5})",
        R"({"subscribe":{},"after":"1"})", R"({"subscribe":{},"after":18446744073709551615})",
        R"({"ping":{}})", R"({"ping":1.5})"})
    EXPECT_EQ(refusal_of(text), "request.field_invalid") << text;
  EXPECT_EQ(refusal_of(R"({"subscribe":{"avatar_id":"../x"}})"), "avatar.id_invalid");
}

class EventSocket : public ::testing::Test {
protected:
  void say(std::string_view text) { user->on_message(socket, message_kind::text, text); }

  /// What was sent since the last call: type and topic, or type and code.
  std::vector<std::string> told() {
    auto result = std::vector<std::string>{};
    for (const auto& text : socket->take()) {
      auto x = json::parse(text);
      auto what = x["type"].get<std::string>();
      result.push_back(what + " " + (what == "error" ? x["code"] : x["topic"]).get<std::string>());
    }
    return result;
  }

  /// Subscribes and begins with a page. @returns what the feed then tells.
  std::shared_ptr<event_listener> follow(const std::string& what, const pipeline::event_page& page,
                                         bool ends = false) {
    say(R"({"subscribe":)" + what + "}");
    auto client = std::exchange(asked, nullptr);
    return client ? client->begin(page, ends, -1) : nullptr;
  }

  std::shared_ptr<tests::fake_socket> socket = std::make_shared<tests::fake_socket>();
  std::shared_ptr<event_client> asked; ///< The feed, asked to let somebody follow.
  pipeline::event_query query;
  std::shared_ptr<web_socket_user> user =
      make_event_socket([this](std::shared_ptr<event_client> client, const auto& what) {
        asked = std::move(client);
        query = what;
      });
};

TEST_F(EventSocket, TellsATopicFromItsSnapshotToItsEnd) {
  auto x = follow(R"({"job_id":"j1"})",
                  {{event(1, job_state::queued)}, 1, false, {view(job_state::queued)}});
  ASSERT_TRUE(x);
  EXPECT_EQ(query.job_id, "j1");
  auto first = socket->take();
  ASSERT_EQ(first.size(), 3u);
  EXPECT_EQ(first[0], R"({"type":"subscribed","topic":"job:j1"})");
  auto state = json::parse(first[1]);
  EXPECT_EQ(state["event"], to_json(event(1, job_state::queued)));
  auto snapshot = json::parse(first[2]);
  EXPECT_EQ(snapshot["sequence"], 1);
  EXPECT_EQ(snapshot["jobs"][0]["status"], "queued");
  auto job = text_of(to_json(view()));
  auto jobs = std::vector<std::string_view>{job};
  EXPECT_TRUE(x->tell(std::span<const std::string_view>{jobs}));
  EXPECT_TRUE(x->tell(3, text_of(to_json(event(3, job_state::completed)))));
  x->end();
  EXPECT_THAT(told(), ElementsAre("progress job:j1", "state job:j1", "ended job:j1"));
  EXPECT_FALSE(x->open());
  EXPECT_FALSE(x->tell(4, "{}"));
  EXPECT_THAT(told(), ElementsAre());
}

TEST_F(EventSocket, HasSeveralTopicsAtOnce) {
  auto all = follow("{}", {});
  auto anna = follow(R"({"avatar_id":"anna"})", {});
  told();
  auto data = text_of(to_json(event(1, job_state::running)));
  all->tell(1, data);
  anna->tell(1, data);
  EXPECT_THAT(told(), ElementsAre("state all", "state avatar:anna"));
  say(R"({"unsubscribe":{}})");
  EXPECT_FALSE(all->tell(2, data));
  EXPECT_TRUE(anna->tell(2, data));
  EXPECT_THAT(told(), ElementsAre("unsubscribed all", "state avatar:anna"));
  say(R"({"unsubscribe":{}})");
  EXPECT_THAT(told(), ElementsAre("unsubscribed all")) << "asked twice, told twice";
}

TEST_F(EventSocket, BeginsAnewWhenATopicIsAskedForAgain) {
  auto first = follow("{}", {});
  auto second = follow("{}", {});
  EXPECT_FALSE(first->open());
  EXPECT_TRUE(second->open());
  EXPECT_THAT(told(), ElementsAre("subscribed all", "snapshot all", "unsubscribed all",
                                  "subscribed all", "snapshot all"));
}

TEST_F(EventSocket, ReadsNothingWhileTheFeedIsAsked) {
  say(R"({"subscribe":{}})");
  EXPECT_TRUE(socket->held());
  auto client = std::exchange(asked, nullptr);
  auto listener = client->begin({}, false, -1);
  EXPECT_FALSE(socket->held());
  say(R"({"subscribe":{"job_id":"none"}})");
  EXPECT_TRUE(socket->held());
  told();
  std::exchange(asked, nullptr)->refuse(error{errc::job_not_found, "There is no such job."});
  EXPECT_FALSE(socket->held());
  EXPECT_THAT(told(), ElementsAre("error job.not_found"));
  // A question that is lost sets the client free as well.
  say(R"({"subscribe":{"job_id":"lost"}})");
  asked.reset();
  EXPECT_FALSE(socket->held());
}

TEST_F(EventSocket, EndsAtOnceWhatHasEnded) {
  EXPECT_EQ(follow(R"({"job_id":"j1"})", {{}, 9, false, {view(job_state::failed)}}, true), nullptr);
  EXPECT_THAT(told(), ElementsAre("subscribed job:j1", "snapshot job:j1", "ended job:j1"));
  EXPECT_TRUE(socket->open());
}

TEST_F(EventSocket, SendsAwayAClientThatIsTooSlow) {
  auto x = follow("{}", {});
  socket->set_full(true);
  EXPECT_FALSE(x->tell(1, "{}"));
  x->lose();
  EXPECT_EQ(socket->closed_with(), 1013);
}

TEST_F(EventSocket, AnswersPings) {
  say(R"({"ping":"here?"})");
  EXPECT_THAT(socket->take(), ElementsAre(R"({"type":"pong","ping":"here?"})"));
}

TEST_F(EventSocket, ExplainsBadMessagesAndClosesWhenTheyGoOn) {
  for (auto i = 0; i < 4; ++i)
    say("nonsense");
  EXPECT_THAT(socket->take().front(), HasSubstr("\"hint\""));
  say(R"({"ping":1})");
  say("nonsense");
  EXPECT_TRUE(socket->open()) << "a good one made up for a bad one";
  user->on_message(socket, message_kind::binary, "{}");
  EXPECT_FALSE(socket->open());
  EXPECT_EQ(socket->closed_with(), 1008);
}

TEST_F(EventSocket, HasOnlySoManyTopics) {
  auto kept = std::vector<std::shared_ptr<event_listener>>{};
  for (auto i = 0; i < 32; ++i)
    kept.push_back(follow(R"({"job_id":"j)" + std::to_string(i) + "\"}", {}));
  told();
  say(R"({"subscribe":{}})");
  EXPECT_EQ(asked, nullptr);
  EXPECT_THAT(told(), ElementsAre("error request.field_invalid"));
  say(R"({"unsubscribe":{"job_id":"j0"}})");
  EXPECT_NE(follow("{}", {}), nullptr);
}

// -- pages of other sites ---------------------------------------------------------------

TEST(Origin, MustBeTheHostItself) {
  auto refused = [](const std::string& host, const std::string& origin,
                    const std::vector<std::string>& allowed = {}) {
    auto in = request{};
    in.headers.add("Host", host);
    if (!origin.empty())
      in.headers.add("Origin", origin);
    try {
      require_own_origin(in, allowed);
    } catch (const error& what) {
      return what.code() == errc::origin_forbidden;
    }
    return false;
  };
  EXPECT_FALSE(refused("desk:9000", ""));
  EXPECT_FALSE(refused("desk:9000", "http://desk:9000"));
  EXPECT_FALSE(refused("Desk", "https://desk"));
  EXPECT_FALSE(refused("desk:443", "https://desk"));
  EXPECT_FALSE(refused("desk", "http://desk:80"));
  for (auto origin :
       {"http://evil", "http://desk:9001", "http://desk", "null", "http://desk:9000.evil",
        "http://evil/desk:9000", "desk:9000", "file://desk:9000"})
    EXPECT_TRUE(refused("desk:9000", origin)) << origin;
  EXPECT_FALSE(refused("desk:9000", "https://Board.example", {"https://board.example"}));
  EXPECT_FALSE(refused("desk:9000", "null", {"*"}));
}

} // namespace musetalk::http
