#include "pipeline/time.hpp"
#include "tests/http/raw_client.hpp"
#include "tests/service/service_fixture.hpp"

#include <sys/stat.h>

#include <future>
#include <set>

// Jobs as clients see them: work that is done once, priorities, cancellation, another attempt.

namespace musetalk::tests {

namespace {

ino_t file_of(const std::filesystem::path& x) {
  struct stat status {};
  return ::stat(x.c_str(), &status) == 0 ? status.st_ino : 0;
}

/// Milliseconds between two times of a job.
int64_t ms_between(const json& job, const char* from, const char* to) {
  auto at = [&](const char* name) {
    return pipeline::from_rfc3339(job[name].get<std::string>()).value_or(0) / 1000;
  };
  return at(to) - at(from);
}

int64_t sum_of_stages(const json& job) {
  auto result = int64_t{0};
  for (const auto& [name, ms] : job["timings_ms"].items())
    if (name.find('.') == std::string::npos)
      result += ms.get<int64_t>();
  return result;
}

} // namespace

class Jobs : public MockService {
protected:
  /// The first half of an upload: head, fields and some bytes of the file.
  static std::string half_upload(uint64_t promised_bytes) {
    auto body = std::string{"--x\r\nContent-Disposition: form-data; name=\"avatar_id\"\r\n\r\nanna"
                            "\r\n--x\r\nContent-Disposition: form-data; name=\"video_file\"; "
                            "filename=\"a.mp4\"\r\n\r\n"};
    body += std::string(4096, 'v');
    return "POST /mgmt/v1/avatars/upload HTTP/1.1\r\nHost: x\r\nContent-Type: "
           "multipart/form-data; boundary=x\r\nContent-Length: " +
           std::to_string(promised_bytes) + "\r\n\r\n" + body;
  }
};

class NativeJobs : public Service {};

// -- work that is done once ---------------------------------------------------------------

TEST_F(Jobs, PreparesOnceWhatTwoHundredClientsSendAtOnce) {
  start();
  auto send = [&] {
    auto own = httplib::Client{server->url()};
    own.set_read_timeout(120);
    return own.Post("/mgmt/v1/avatars/upload?wait=100", form("anna", media("carphone.mp4")));
  };
  auto answers = std::vector<std::future<httplib::Result>>{};
  for (auto i = 0; i < 200; ++i)
    answers.push_back(std::async(std::launch::async, send));
  auto ids = std::set<std::string>{};
  for (auto& x : answers) {
    auto answer = x.get();
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->status, 201) << answer->body;
    ids.insert(body_of(answer)["job_id"]);
  }
  EXPECT_EQ(ids.size(), 1u);
  EXPECT_EQ(get("/mgmt/v1/jobs")["total"], 1);
  EXPECT_EQ(get("/mgmt/v1/avatars/anna/versions")["total"], 1);
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
}

TEST_F(Jobs, GivesOtherAvatarsTheSameFiles) {
  settings["MUSETALKD_RUNNING_JOBS"] = "3";
  start();
  for (auto name : {"anna", "bert", "carl", "dora"})
    ASSERT_EQ(upload(name, media("carphone.mp4"), "")->status, 202);
  auto prepared = 0;
  for (auto name : {"anna", "bert", "carl", "dora"}) {
    auto id = get("/mgmt/v1/avatars/" + std::string{name})["job"]["job_id"].get<std::string>();
    auto job = final_job(id);
    EXPECT_EQ(job["status"], "completed") << job;
    prepared += job["timings_ms"].contains("link") ? 0 : 1;
    EXPECT_EQ(file_of(avatars / name / "video.mp4"), file_of(avatars / "anna" / "video.mp4"));
    auto manifest = json::parse(contents_of(avatars / name / "manifest.json"));
    EXPECT_EQ(manifest["avatar_id"], name);
    EXPECT_EQ(manifest["job_id"], id);
  }
  EXPECT_EQ(prepared, 1);
  // It is whole: the next start compares files and manifests.
  ASSERT_EQ(client->Delete("/mgmt/v1/avatars/anna")->status, 200);
  ASSERT_EQ(server->stop(), 0);
  start();
  EXPECT_EQ(get("/mgmt/v1/avatars")["avatars"], (json{"bert", "carl", "dora"}));
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
}

TEST_F(Jobs, MakesItAnewByForce) {
  start();
  auto first = body_of(upload("anna", media("one_frame.mp4")));
  auto same = body_of(upload("anna", media("one_frame.mp4")));
  EXPECT_EQ(same["job_id"], first["job_id"]);
  EXPECT_EQ(same["reused"], true);
  auto forced = body_of(upload("anna", media("one_frame.mp4"), "?wait=100&force=true"));
  EXPECT_NE(forced["job_id"], first["job_id"]);
  EXPECT_EQ(get("/mgmt/v1/avatars/anna")["current_version"], "v000002");
  auto fields = form("anna", media("one_frame.mp4"));
  fields.push_back({"force", "1", "", ""});
  EXPECT_EQ(client->Post("/mgmt/v1/avatars/upload?wait=100", fields)->status, 201);
  std::filesystem::copy_file(media("one_frame.mp4"), videos / "a.mp4");
  auto body = json{{"avatar_id", "anna"}, {"video_path", (videos / "a.mp4").string()}};
  EXPECT_EQ(body_of(create(body))["reused"], true);
  body["force"] = true;
  EXPECT_EQ(body_of(create(body))["reused"], false);
  EXPECT_EQ(get("/mgmt/v1/avatars/anna")["current_version"], "v000004");
}

// -- the queue ------------------------------------------------------------------------------

TEST_F(Jobs, TakesPriorities) {
  start();
  auto shown = [&](const std::string& query) {
    auto made = body_of(upload("anna", media("one_frame.mp4"), query));
    return get("/mgmt/v1/jobs/" + made["job_id"].get<std::string>())["priority"];
  };
  EXPECT_EQ(shown("?wait=100"), "normal");
  EXPECT_EQ(shown("?wait=100&force=true&priority=high"), "high");
  auto wrong = upload("anna", media("one_frame.mp4"), "?priority=urgent");
  EXPECT_TRUE(is_problem(wrong, 400, "request.field_invalid"));
  auto fields = form("anna", media("carphone.mp4"));
  fields.push_back({"priority", "low", "", ""});
  auto low = body_of(client->Post("/mgmt/v1/avatars/upload?wait=100", fields));
  EXPECT_EQ(get("/mgmt/v1/jobs/" + low["job_id"].get<std::string>())["priority"], "low");
  ASSERT_EQ(server->stop(), 0);
  start();
  EXPECT_EQ(get("/mgmt/v1/jobs/" + low["job_id"].get<std::string>())["priority"], "low");
}

TEST_F(Jobs, AccountsForAllTimeOfAJob) {
  start();
  auto first = body_of(upload("anna", media("carphone.mp4"), ""));
  auto second = body_of(upload("bert", media("one_frame.mp4"), ""));
  for (const auto& id : {first["job_id"], second["job_id"]}) {
    auto job = final_job(id);
    ASSERT_EQ(job["status"], "completed") << job;
    for (auto stage : {"queued", "validate", "convert", "verify", "publish", "other"})
      EXPECT_TRUE(job["timings_ms"].contains(stage)) << job;
    EXPECT_NEAR(static_cast<double>(sum_of_stages(job)),
                static_cast<double>(ms_between(job, "queued_at", "finished_at")), 2.)
        << job;
  }
}

// -- clients that leave ---------------------------------------------------------------------

TEST_F(Jobs, ForgetsAnUploadWhoseClientWentAway) {
  start();
  auto gone = http::test::raw_client{server->port()};
  gone.send(half_upload(1'000'000));
  while (names_in(avatars / ".uploads").empty())
    ASSERT_TRUE(client->Get("/livez"));
  gone.abort();
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
  EXPECT_EQ(get("/mgmt/v1/jobs")["total"], 0);
}

TEST_F(Jobs, ForgetsAnUploadThatStandsStill) {
  settings["MUSETALKD_UPLOAD_IDLE_SECONDS"] = "1";
  start();
  auto silent = http::test::raw_client{server->port()};
  silent.send(half_upload(1'000'000));
  auto answer = silent.read_answer();
  EXPECT_EQ(answer.status, 408) << answer.head;
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
  EXPECT_EQ(get("/mgmt/v1/jobs")["total"], 0);
}

// -- cancellation -----------------------------------------------------------------------------

TEST_F(NativeJobs, LeavesNothingOfACancelledJobAndStartsTheNext) {
  start();
  auto first = body_of(upload("anna", media("carphone.mp4"), ""))["job_id"].get<std::string>();
  auto second = body_of(upload("bert", short_clip(), ""))["job_id"].get<std::string>();
  // In the middle of its frames.
  while (get("/mgmt/v1/jobs/" + first).value("fraction", 0.) < 0.1)
    ASSERT_EQ(get("/mgmt/v1/jobs/" + first)["finished_at"], json{});
  auto answer = client->Post("/mgmt/v1/jobs/" + first + "/cancel");
  EXPECT_TRUE(answer->status == 202 || answer->status == 200) << answer->body;
  EXPECT_EQ(final_job(first)["status"], "cancelled");
  EXPECT_EQ(final_job(second)["status"], "completed");
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
  EXPECT_FALSE(std::filesystem::exists(avatars / ".store" / "anna"));
}

// -- another attempt ----------------------------------------------------------------------------

TEST_F(NativeJobs, TriesAFailedUploadAgainAlsoAfterARestart) {
  settings["MUSETALKD_KEEP_FAILED_SECONDS"] = "3600";
  settings["MUSETALKD_MIN_FACE_PIXELS"] = "4000";
  start();
  auto id = body_of(upload("anna", short_clip(), ""))["job_id"].get<std::string>();
  auto failed = final_job(id);
  ASSERT_EQ(failed["status"], "failed") << failed;
  EXPECT_EQ(failed["error"]["code"], "face.too_small");
  EXPECT_EQ(names_in(avatars / ".uploads").size(), 1u) << "its upload is kept";
  ASSERT_EQ(server->stop(), 0);
  settings.erase("MUSETALKD_MIN_FACE_PIXELS");
  start();
  EXPECT_EQ(client->Post("/mgmt/v1/jobs/" + id + "/retry")->status, 202);
  auto job = final_job(id);
  EXPECT_EQ(job["status"], "completed") << job;
  EXPECT_EQ(job["attempt"], 2);
  EXPECT_EQ(job["error"], json{});
  EXPECT_EQ(get("/mgmt/v1/jobs/" + id + "?history=true")["events"].size(), 6u);
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
  EXPECT_TRUE(is_problem(client->Post("/mgmt/v1/jobs/" + id + "/retry"), 409, "job.finished"));
}

// -- beforehand -----------------------------------------------------------------------------------

TEST_F(NativeJobs, SaysBeforehandWhatAJobWouldMeet) {
  start();
  auto ask = [&](const std::filesystem::path& video) {
    auto answer =
        client->Post("/mgmt/v1/avatars/validate",
                     {{"video_file", contents_of(video), video.filename().string(), "video/mp4"}});
    EXPECT_EQ(answer->status, 200) << answer->body;
    return body_of(answer);
  };
  auto good = ask(short_clip());
  EXPECT_EQ(good["passes"], true) << good;
  EXPECT_EQ(good["would_make"]["frames"], 10);
  EXPECT_GT(good["would_make"]["bytes"], 100'000);
  EXPECT_EQ(good["queue"]["accepts"], true);
  EXPECT_EQ(good["queue"]["position"], 0);
  auto nobody = ask(media("plain.mp4"));
  EXPECT_EQ(nobody["passes"], false);
  EXPECT_EQ(nobody["problems"][0]["code"], "face.none");
  EXPECT_FALSE(nobody["problems"][0]["frames"].empty()) << nobody;
  EXPECT_EQ(ask(media("text.mp4"))["problems"][0]["code"], "video.unreadable");
  std::filesystem::copy_file(short_clip(), videos / "a.mp4");
  auto body = json{{"video_path", (videos / "a.mp4").string()}};
  auto below = client->Post("/mgmt/v1/avatars/validate", body.dump(), "application/json");
  EXPECT_EQ(body_of(below)["passes"], true) << below->body;
  EXPECT_EQ(get("/mgmt/v1/jobs")["total"], 0);
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
}

} // namespace musetalk::tests
