#include "tests/service/service_fixture.hpp"

#include <regex>

// The five calls of the seed's contract and what stands around them, from outside, in mock mode.

namespace musetalk::tests {

namespace {

std::vector<std::string> keys_of(const json& x) {
  auto result = std::vector<std::string>{};
  for (const auto& [key, value] : x.items())
    result.push_back(key);
  return result;
}

const auto rfc3339 = std::regex{R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z)"};

} // namespace

TEST_F(MockService, StartsReadyAndEmpty) {
  start();
  EXPECT_EQ(client->Get("/livez")->status, 200);
  EXPECT_EQ(client->Get("/readyz")->status, 200);
  EXPECT_EQ(get("/mgmt/v1/avatars"), (json{{"total", 0}, {"avatars", json::array()}}));
  auto health = get("/health");
  EXPECT_EQ(keys_of(health),
            (std::vector<std::string>{"device", "engine", "mode", "models", "queue", "status"}));
  EXPECT_EQ(health["status"], "ok");
  EXPECT_EQ(health["mode"], "mock");
  EXPECT_EQ(health["queue"]["queued"], 0);
}

TEST_F(MockService, MakesAnAvatarOfAnUpload) {
  start();
  auto answer = upload("anna", media("carphone.mp4"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 201) << answer->body;
  EXPECT_EQ(answer->get_header_value("Location"), "/mgmt/v1/avatars/anna");
  auto body = body_of(answer);
  EXPECT_EQ(keys_of(body), (std::vector<std::string>{"avatar_id", "eta_s", "job_id", "links",
                                                     "position", "reused", "status"}));
  EXPECT_EQ(body["avatar_id"], "anna");
  EXPECT_EQ(body["status"], "completed");
  EXPECT_EQ(get("/mgmt/v1/avatars"), (json{{"total", 1}, {"avatars", {"anna"}}}));
  auto link = avatars / "anna";
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  for (auto name : {"video.mp4", "avatar_info.txt", "manifest.json"})
    EXPECT_TRUE(std::filesystem::is_regular_file(link / name)) << name;
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
}

TEST_F(MockService, AcceptsAnUploadWithoutWaiting) {
  start();
  auto answer = upload("anna", media("carphone.mp4"), "");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 202);
  auto body = body_of(answer);
  EXPECT_EQ(body["links"]["job"], answer->get_header_value("Location"));
  EXPECT_EQ(final_job(body["job_id"])["status"], "completed");
}

TEST_F(MockService, TakesTheWishToWaitAsAHeader) {
  start();
  auto answer = client->Post("/mgmt/v1/avatars/upload", {{"Prefer", "wait=300"}},
                             form("anna", media("carphone.mp4")));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->get_header_value("Preference-Applied"), "wait");
}

TEST_F(MockService, ShowsAllOfAnAvatar) {
  start();
  auto items = form("anna", media("carphone.mp4"));
  items.push_back({"tutor_id", "7", "", ""});
  items.push_back({"apply_blur", "false", "", ""});
  client->Post("/mgmt/v1/avatars/upload?wait=300", items);
  auto x = get("/mgmt/v1/avatars/anna");
  EXPECT_EQ(x["tutor_id"], "7");
  EXPECT_EQ(x["status"], "ready");
  EXPECT_EQ(x["current_version"], "v000001");
  ASSERT_EQ(x["versions"].size(), 1u);
  EXPECT_EQ(x["versions"][0]["engine"], "mock");
  EXPECT_EQ(x["versions"][0]["video_sha256"].get<std::string>().size(), 64u);
  EXPECT_TRUE(std::regex_match(x["created_at"].get<std::string>(), rfc3339));
  EXPECT_EQ(x["job"]["status"], "completed");
}

TEST_F(MockService, ShowsAJobWithExactlyTheDocumentedMembers) {
  start();
  auto id = body_of(upload("anna", media("carphone.mp4")))["job_id"].get<std::string>();
  auto job = get("/mgmt/v1/jobs/" + id);
  EXPECT_EQ(keys_of(job),
            (std::vector<std::string>{"attempt", "avatar_id", "created_at", "error", "eta_s",
                                      "finished_at", "fraction", "frames_done", "frames_total",
                                      "job_id", "kind", "position", "priority", "queued_at",
                                      "stage", "started_at", "status", "timings_ms", "weights"}));
  EXPECT_EQ(job["fraction"], 1.);
  EXPECT_EQ(job["attempt"], 1);
  EXPECT_EQ(job["kind"], "create");
  EXPECT_EQ(job["weights"], "none");
  EXPECT_TRUE(job["error"].is_null());
  EXPECT_TRUE(std::regex_match(job["finished_at"].get<std::string>(), rfc3339));
  auto jobs = get("/mgmt/v1/jobs");
  EXPECT_EQ(jobs["total"], 1);
  EXPECT_EQ(jobs["jobs"][0], job);
}

TEST_F(MockService, ListsInPagesAndByFilter) {
  start();
  for (auto id : {"carl", "anna", "bert"}) {
    auto items = form(id, media("one_frame.mp4"));
    items.push_back({"tutor_id", std::string{"t-"} + id, "", ""});
    EXPECT_EQ(client->Post("/mgmt/v1/avatars/upload?wait=300", items)->status, 201);
  }
  auto first = get("/mgmt/v1/avatars?limit=2");
  EXPECT_EQ(first["total"], 3);
  EXPECT_EQ(first["avatars"], (json{"anna", "bert"}));
  auto rest = get("/mgmt/v1/avatars?limit=2&cursor=" + first["next_cursor"].get<std::string>());
  EXPECT_EQ(rest["avatars"], (json{"carl"}));
  EXPECT_FALSE(rest.contains("next_cursor"));
  EXPECT_EQ(get("/mgmt/v1/avatars?tutor_id=t-bert")["avatars"], (json{"bert"}));
  EXPECT_EQ(get("/mgmt/v1/avatars?status=failed")["total"], 0);
  auto detailed = get("/mgmt/v1/avatars?detail=true&limit=1");
  EXPECT_EQ(detailed["avatars"][0]["avatar_id"], "anna");
  EXPECT_EQ(get("/mgmt/v1/jobs?avatar_id=carl")["total"], 1);
  EXPECT_EQ(get("/mgmt/v1/jobs?status=queued,running")["total"], 0);
}

TEST_F(MockService, ServesThePreview) {
  start();
  upload("anna", media("carphone.mp4"));
  auto picture = client->Get("/mgmt/v1/avatars/anna/preview.jpg");
  ASSERT_TRUE(picture);
  EXPECT_EQ(picture->status, 200);
  EXPECT_EQ(picture->get_header_value("Content-Type"), "image/jpeg");
  EXPECT_EQ(picture->body.substr(0, 2), "\xFF\xD8");
  EXPECT_EQ(picture->body, contents_of(avatars / "anna" / "preview.jpg"));
  EXPECT_TRUE(
      is_problem(client->Get("/mgmt/v1/avatars/bert/preview.jpg"), 404, "avatar.not_found"));
}

TEST_F(MockService, DeletesAnAvatar) {
  start();
  upload("anna", media("carphone.mp4"));
  auto answer = client->Delete("/mgmt/v1/avatars/anna");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(body_of(answer), (json{{"avatar_id", "anna"}, {"deleted", true}}));
  EXPECT_TRUE(is_problem(client->Get("/mgmt/v1/avatars/anna"), 404, "avatar.not_found"));
  EXPECT_TRUE(is_problem(client->Delete("/mgmt/v1/avatars/anna"), 404, "avatar.not_found"));
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::symlink_status(avatars / "anna")));
  EXPECT_EQ(names_in(avatars / ".store"), std::vector<std::string>{});
}

TEST_F(MockService, MakesAnAvatarOfAVideoBelowARoot) {
  std::filesystem::create_directories(videos / "week1");
  std::filesystem::copy_file(media("carphone.mp4"), videos / "week1" / "talk.mp4");
  start();
  auto answer = create({{"avatar_id", "anna"},
                        {"video_path", (videos / "week1" / "talk.mp4").string()},
                        {"apply_blur", false},
                        {"tutor_id", "7"}});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 201) << answer->body;
  EXPECT_EQ(get("/mgmt/v1/avatars/anna")["tutor_id"], "7");
  EXPECT_TRUE(std::filesystem::exists(videos / "week1" / "talk.mp4"));
}

TEST_F(MockService, DoesNotDoTheSameWorkTwice) {
  start();
  auto first = body_of(upload("anna", media("carphone.mp4")));
  auto second = upload("anna", media("carphone.mp4"));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->status, 201);
  EXPECT_EQ(body_of(second)["job_id"], first["job_id"]);
  EXPECT_EQ(get("/mgmt/v1/jobs")["total"], 1);
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
}

TEST_F(MockService, MakesANewVersionOfAnotherVideo) {
  start();
  upload("anna", media("carphone.mp4"));
  EXPECT_EQ(upload("anna", media("plain.mp4"))->status, 201);
  auto x = get("/mgmt/v1/avatars/anna");
  EXPECT_EQ(x["current_version"], "v000002");
  EXPECT_EQ(std::filesystem::read_symlink(avatars / "anna"), ".store/anna/v000002");
}

} // namespace musetalk::tests
