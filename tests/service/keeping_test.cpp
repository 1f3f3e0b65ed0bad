#include "tests/service/service_fixture.hpp"

#include <fstream>

// What stays, what goes, and how avatars move from one service to another.

namespace musetalk::tests {

class Keeping : public MockService {
protected:
  json post(const std::string& path) { return body_of(client->Post(path, "", "application/json")); }

  /// A version of each video.
  void make(const std::string& id, int versions) {
    for (auto i = 0; i < versions; ++i) {
      auto made = upload(id, media(i % 2 == 0 ? "one_frame.mp4" : "fps60.mkv"));
      ASSERT_EQ(made->status, 201) << made->body;
    }
  }
};

TEST_F(Keeping, TellsWhatWouldGoThenRemovesIt) {
  settings["MUSETALKD_KEEP_VERSIONS"] = "1";
  settings["MUSETALKD_CLEAN_INTERVAL_SECONDS"] = "86400";
  start();
  make("anna", 2);
  auto plan = get("/mgmt/v1/store/retention");
  ASSERT_EQ(plan["removals"].size(), 1u) << plan;
  EXPECT_EQ(plan["removals"][0]["version"], "v000001");
  EXPECT_EQ(plan["removals"][0]["reason"], "surplus");
  EXPECT_EQ(plan["applied"], false);
  EXPECT_EQ(get("/mgmt/v1/avatars/anna/versions")["total"], 2);
  auto done = post("/mgmt/v1/store/clean");
  EXPECT_EQ(done["applied"], true);
  EXPECT_EQ(done["removals"][0]["failure"], json{});
  EXPECT_EQ(get("/mgmt/v1/avatars/anna/versions")["total"], 1);
  EXPECT_EQ(names_in(avatars / ".store" / "anna"), (std::vector<std::string>{"v000002"}));
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
}

TEST_F(Keeping, PinsAndTouchesAnAvatar) {
  settings["MUSETALKD_MAX_STORE_GB"] = "0.0000001";
  settings["MUSETALKD_CLEAN_INTERVAL_SECONDS"] = "86400";
  start();
  make("anna", 1);
  auto pinned = client->Put("/mgmt/v1/avatars/anna/pin", "", "application/json");
  ASSERT_EQ(pinned->status, 200);
  EXPECT_EQ(body_of(pinned)["pinned"], true);
  EXPECT_EQ(post("/mgmt/v1/store/clean")["removals"], json::array());
  auto touched = post("/mgmt/v1/avatars/anna/touch");
  EXPECT_GT(touched["used_at"], touched["created_at"]);
  EXPECT_EQ(body_of(client->Delete("/mgmt/v1/avatars/anna/pin"))["pinned"], false);
  EXPECT_EQ(post("/mgmt/v1/store/clean")["removals"][0]["reason"], "room");
  EXPECT_TRUE(is_problem(client->Get("/mgmt/v1/avatars/anna"), 404, "avatar.not_found"));
  EXPECT_TRUE(is_problem(client->Post("/mgmt/v1/avatars/anna/touch", "", "application/json"), 404,
                         "avatar.not_found"));
}

TEST_F(Keeping, MovesAnAvatarByAnArchive) {
  start();
  make("anna", 1);
  auto archive = client->Get("/mgmt/v1/avatars/anna/export");
  ASSERT_EQ(archive->status, 200);
  EXPECT_EQ(archive->get_header_value("Archive-Bytes"), std::to_string(archive->body.size()));
  auto made = client->Post(
      "/mgmt/v1/avatars/import?wait=60",
      {{"avatar_id", "bert", "", ""}, {"archive", archive->body, "anna.tar", "application/x-tar"}});
  ASSERT_EQ(made->status, 201) << made->body;
  auto bert = get("/mgmt/v1/avatars/bert");
  EXPECT_EQ(bert["job"]["kind"], "import");
  EXPECT_EQ(bert["current_version"], "v000001");
  EXPECT_EQ(contents_of(avatars / "bert" / "video.mp4"),
            contents_of(avatars / "anna" / "video.mp4"));
  EXPECT_TRUE(is_problem(client->Get("/mgmt/v1/avatars/anna/export?version=v000009"), 404,
                         "version.not_found"));
  EXPECT_TRUE(is_problem(client->Get("/mgmt/v1/avatars/carl/export"), 404, "avatar.not_found"));
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
}

TEST_F(Keeping, RefusesAnArchiveBeforeThereIsAJob) {
  start();
  auto refused = client->Post("/mgmt/v1/avatars/import",
                              {{"avatar_id", "bert", "", ""},
                               {"archive", std::string(4096, 'x'), "x.tar", "application/x-tar"}});
  EXPECT_TRUE(is_problem(refused, 400, "request.malformed"));
  EXPECT_EQ(get("/mgmt/v1/jobs")["total"], 0);
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
}

} // namespace musetalk::tests
