#include "http/ctl/event_reader.hpp"
#include "tests/service/service_fixture.hpp"

#include <functional>
#include <set>

// What happens as it happens, other attempts, keys and versions, from outside.

namespace musetalk::tests {

using http::ctl::event_reader;
using http::ctl::server_event;

class Events : public MockService {
protected:
  /// Follows until `take` has enough, or the stream ends. @returns the status.
  int follow(const std::string& path, const std::string& last_id,
             const std::function<bool(const server_event&)>& take) {
    auto other = httplib::Client{"127.0.0.1", server->port()};
    other.set_read_timeout(60);
    auto headers = httplib::Headers{};
    if (!last_id.empty())
      headers.emplace("Last-Event-ID", last_id);
    auto more = true;
    auto reader = event_reader{[&](const server_event& x) {
      more = more && take(x);
    }};
    auto status = 0;
    auto answer = other.Get(
        path, headers,
        [&](const httplib::Response& head) {
          status = head.status;
          return true;
        },
        [&](const char* bytes, size_t size) {
          return reader.push({bytes, size}) && more;
        });
    // Breaking off is no answer; a status without a body has no head of its own.
    return answer ? answer->status : status;
  }

  httplib::Result post(const std::string& path, const std::string& key = "") {
    auto headers = httplib::Headers{};
    if (!key.empty())
      headers.emplace("Idempotency-Key", key);
    return client->Post(path, headers, "", "application/json");
  }

  httplib::Result create_with(const std::string& key, const std::string& avatar) {
    auto body = json{{"avatar_id", avatar}, {"video_path", (videos / "talk.mp4").string()}};
    return client->Post("/mgmt/v1/avatars/create?wait=300", {{"Idempotency-Key", key}}, body.dump(),
                        "application/json");
  }

  /// Sequences in the history of a job.
  std::vector<int64_t> history(const std::string& id) {
    auto result = std::vector<int64_t>{};
    auto job = get("/mgmt/v1/jobs/" + id + "?history=true");
    for (const auto& x : job["events"])
      result.push_back(x["sequence"]);
    return result;
  }
};

TEST_F(Events, FollowAJobToItsEnd) {
  start();
  auto id = body_of(upload("anna", media("carphone.mp4"), ""))["job_id"].get<std::string>();
  auto path = "/mgmt/v1/jobs/" + id + "/events";
  auto states = std::vector<std::string>{};
  auto fraction = 0.;
  auto begun = false;
  auto status = follow(path, "0", [&](const server_event& x) {
    auto data = json::parse(x.data);
    if (x.type == "state") {
      EXPECT_EQ(data["job_id"], id);
      EXPECT_EQ(x.id, std::to_string(data["sequence"].get<int64_t>()));
      states.push_back(data["status"]);
    } else {
      auto job = x.type == "snapshot" ? data["jobs"].at(0) : data;
      EXPECT_GE(job["fraction"].get<double>(), fraction) << "it never falls";
      fraction = job["fraction"];
    }
    begun |= x.type == "snapshot";
    return true;
  });
  EXPECT_EQ(status, 200);
  EXPECT_TRUE(begun);
  EXPECT_EQ(states, (std::vector<std::string>{"queued", "running", "completed"}));
  // Who knows the end is told to come back no more.
  EXPECT_EQ(follow(path, std::to_string(history(id).back()), [](const auto&) { return true; }),
            204);
  EXPECT_TRUE(is_problem(client->Get("/mgmt/v1/jobs/none/events"), 404, "job.not_found"));
}

TEST_F(Events, AreNeitherLostNorDoubledAcrossReconnectsAndARestart) {
  start();
  auto seen = std::vector<int64_t>{};
  auto last = std::string{"0"};
  // Breaks off after every single event.
  auto one_more = [&] {
    follow("/mgmt/v1/events", last, [&](const server_event& x) {
      if (!x.id.empty())
        last = x.id;
      if (x.type == "state")
        seen.push_back(std::stoll(x.id));
      return x.type != "state";
    });
  };
  auto expected = std::vector<int64_t>{};
  for (const auto* avatar : {"anna", "berta", "carla"}) {
    auto id = body_of(upload(avatar, media("one_frame.mp4"), ""))["job_id"].get<std::string>();
    one_more();
    final_job(id);
    auto events = history(id);
    expected.insert(expected.end(), events.begin(), events.end());
    if (avatar == std::string{"berta"})
      start();
  }
  while (seen.size() < expected.size())
    one_more();
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(seen, expected);
}

TEST_F(Events, TellOnlyOfTheAvatarThatIsFollowed) {
  start();
  upload("anna", media("one_frame.mp4"));
  upload("berta", media("one_frame.mp4"));
  auto avatars_seen = std::set<std::string>{};
  follow("/mgmt/v1/events?avatar_id=berta", "0", [&](const server_event& x) {
    auto data = json::parse(x.data);
    if (x.type == "state")
      avatars_seen.insert(data["avatar_id"]);
    return x.type != "snapshot";
  });
  EXPECT_EQ(avatars_seen, (std::set<std::string>{"berta"}));
}

TEST_F(Events, RefuseAnIdThatNobodyGave) {
  start();
  for (auto bad : {"x", "-1", "1e3", "99999999999999999999"})
    EXPECT_TRUE(is_problem(client->Get("/mgmt/v1/events", {{"Last-Event-ID", bad}}), 400,
                           "request.field_invalid"))
        << bad;
}

// -- another attempt ----------------------------------------------------------------

class Retry : public Events {};

TEST_F(Retry, QueuesACancelledJobOfAFileOnceMore) {
  std::filesystem::copy_file(media("one_frame.mp4"), videos / "talk.mp4");
  start();
  // The second job of an avatar waits for the first.
  upload("anna", media("carphone.mp4"), "");
  auto body = json{{"avatar_id", "anna"}, {"video_path", (videos / "talk.mp4").string()}};
  auto id = body_of(create(body, ""))["job_id"].get<std::string>();
  auto path = "/mgmt/v1/jobs/" + id;
  EXPECT_TRUE(is_problem(post(path + "/retry"), 409, "job.active"));
  ASSERT_EQ(post(path + "/cancel")->status, 200);
  auto again = post(path + "/retry");
  EXPECT_EQ(again->status, 202) << again->body;
  EXPECT_EQ(body_of(again)["attempt"], 2);
  auto job = final_job(id);
  EXPECT_EQ(job["status"], "completed") << job;
  EXPECT_TRUE(is_problem(post(path + "/retry"), 409, "job.finished"));
  auto states = std::vector<std::string>{};
  auto whole = get(path + "?history=true");
  for (const auto& x : whole["events"])
    states.push_back(x["status"]);
  EXPECT_EQ(states,
            (std::vector<std::string>{"queued", "cancelled", "queued", "running", "completed"}));
}

TEST_F(Retry, SaysThatACancelledUploadIsGone) {
  start();
  upload("anna", media("carphone.mp4"), "");
  auto id = body_of(upload("anna", media("one_frame.mp4"), ""))["job_id"].get<std::string>();
  ASSERT_EQ(post("/mgmt/v1/jobs/" + id + "/cancel")->status, 200);
  EXPECT_TRUE(is_problem(post("/mgmt/v1/jobs/" + id + "/retry"), 410, "job.source_gone"));
  EXPECT_TRUE(is_problem(post("/mgmt/v1/jobs/none/retry"), 404, "job.not_found"));
}

// -- keys of requests ------------------------------------------------------------------

class Idempotency : public Events {
protected:
  httplib::Result upload_with(const std::string& key, const std::string& id,
                              const std::string& video) {
    return client->Post("/mgmt/v1/avatars/upload?wait=300", {{"Idempotency-Key", key}},
                        form(id, media(video)));
  }
};

TEST_F(Idempotency, LetsEqualRequestsHaveOneEffectAlsoAfterARestart) {
  std::filesystem::copy_file(media("one_frame.mp4"), videos / "talk.mp4");
  start();
  auto first = create_with("\"k1\"", "anna");
  ASSERT_EQ(first->status, 201) << first->body;
  EXPECT_FALSE(first->has_header("Idempotency-Replayed"));
  client->Delete("/mgmt/v1/avatars/anna");
  start();
  auto second = create_with("\"k1\"", "anna");
  EXPECT_EQ(second->status, 201) << second->body;
  EXPECT_EQ(second->get_header_value("Idempotency-Replayed"), "true");
  EXPECT_EQ(body_of(second), body_of(first));
  EXPECT_EQ(get("/mgmt/v1/jobs")["total"], 1);
  EXPECT_TRUE(is_problem(create_with("\"k1\"", "berta"), 422, "request.key_reused"));
  EXPECT_TRUE(is_problem(create_with("\"k 1\"", "berta"), 400, "request.field_invalid"));
}

TEST_F(Idempotency, LooksAtTheBytesOfAnUpload) {
  start();
  auto first = upload_with("k1", "anna", "one_frame.mp4");
  ASSERT_EQ(first->status, 201) << first->body;
  EXPECT_EQ(body_of(upload_with("k1", "anna", "one_frame.mp4")), body_of(first));
  EXPECT_TRUE(is_problem(upload_with("k1", "anna", "carphone.mp4"), 422, "request.key_reused"));
  EXPECT_EQ(get("/mgmt/v1/jobs")["total"], 1);
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
}

TEST_F(Idempotency, GivesManyAtOnceTheSameJob) {
  start();
  auto threads = std::vector<std::thread>{};
  auto ids = std::vector<std::string>(6);
  for (auto& id : ids)
    threads.emplace_back([&] {
      auto other = httplib::Client{"127.0.0.1", server->port()};
      other.set_read_timeout(60);
      auto answer = other.Post("/mgmt/v1/avatars/upload", {{"Idempotency-Key", "k1"}},
                               form("anna", media("carphone.mp4")));
      id = answer ? body_of(answer).value("job_id", answer->body) : "no answer";
    });
  for (auto& x : threads)
    x.join();
  for (const auto& id : ids)
    EXPECT_EQ(id, ids.front());
  final_job(ids.front());
  EXPECT_EQ(get("/mgmt/v1/jobs")["total"], 1);
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
}

// -- versions ---------------------------------------------------------------------------

class Versions : public Events {};

TEST_F(Versions, GoBackAndAreRemoved) {
  start();
  upload("anna", media("one_frame.mp4"));
  upload("anna", media("carphone.mp4"));
  auto path = std::string{"/mgmt/v1/avatars/anna/versions"};
  auto list = client->Get(path);
  EXPECT_EQ(body_of(list)["current_version"], "v000002");
  EXPECT_EQ(body_of(list)["total"], 2);
  auto tag = list->get_header_value("ETag");
  EXPECT_EQ(client->Get("/mgmt/v1/avatars/anna")->get_header_value("ETag"), tag);
  EXPECT_TRUE(is_problem(client->Delete(path + "/v000002"), 409, "version.current"));
  auto back = client->Post(path + "/v000001/activate", {{"If-Match", tag}}, "", "");
  ASSERT_EQ(back->status, 200) << back->body;
  EXPECT_EQ(body_of(back)["current_version"], "v000001");
  EXPECT_EQ(std::filesystem::read_symlink(avatars / "anna"), ".store/anna/v000001");
  auto stale = client->Post(path + "/v000002/activate", {{"If-Match", tag}}, "", "");
  EXPECT_TRUE(is_problem(stale, 412, "request.precondition_failed"));
  EXPECT_TRUE(is_problem(client->Delete("/mgmt/v1/avatars/anna", {{"If-Match", tag}}), 412,
                         "request.precondition_failed"));
  EXPECT_EQ(
      client->Delete(path + "/v000002", {{"If-Match", back->get_header_value("ETag")}})->status,
      200);
  EXPECT_FALSE(std::filesystem::exists(avatars / ".store" / "anna" / "v000002"));
  EXPECT_TRUE(is_problem(post(path + "/v000002/activate"), 404, "version.not_found"));
  start();
  EXPECT_EQ(get(path)["current_version"], "v000001");
  EXPECT_EQ(get(path)["total"], 1);
}

} // namespace musetalk::tests
