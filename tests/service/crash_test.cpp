#include "tests/service/crash_fixture.hpp"

#include <fstream>

// The server is killed, or a step of it fails, at places that were chosen; `crash_walk_test` does
// so at all of them.

namespace musetalk::tests {

TEST_F(Crash, LeavesNothingHalfWhereverItIsKilled) {
  for (auto failpoint : {
           "spool.done=kill@1",           // the file is whole, nobody knows of it
           "catalog.add_job.done=kill@1", // the job is durable, nobody was told
           "publish.syncfs=kill@1",       // verified, not yet synced
           "place.rename_sync=kill@1",    // in the store, and the link does not lead there
           "catalog.complete_job=kill@1", // visible, and the job has not ended
       }) {
    SCOPED_TRACE(failpoint);
    begin_anew();
    ASSERT_TRUE(dies_at(failpoint, {&Crash::make}));
    recover_and_check();
  }
}

TEST_F(Crash, RemovesWhollyOrNotAtAll) {
  for (auto failpoint : {"remove.versions=kill@1", "trash.slice=kill@1"}) {
    SCOPED_TRACE(failpoint);
    begin_anew();
    ASSERT_TRUE(dies_at(failpoint, {&Crash::make, &Crash::delete_avatar, &Crash::settle}));
    recover_and_check();
  }
}

// What was verified and synced is not made again.
TEST_F(Crash, PublishesWhatWasWrittenBefore) {
  ASSERT_TRUE(dies_at("publish.manifest_done=kill@1", {&Crash::make}));
  auto staged = names_in(avatars / ".staging");
  ASSERT_EQ(staged.size(), 1u);
  // a crash while it is put right is put right as well
  ASSERT_TRUE(dies_starting("recover.publish=kill@1"));
  start_with("");
  auto job = final_job(staged[0]);
  EXPECT_EQ(job["status"], "completed");
  EXPECT_EQ(job["attempt"], 1);
  EXPECT_TRUE(std::filesystem::exists(avatars / "anna" / "video.mp4"));
  recover_and_check();
}

TEST_F(Crash, LivesOnWhenAStepFails) {
  start_with("spool.sync=eio@1,place.switch=enospc@1,catalog.add_job=eio@1");
  // the upload, then the catalog, then the publication
  EXPECT_TRUE(is_problem(upload("anna", first_clip), 500, "storage.failed"));
  EXPECT_TRUE(is_problem(upload("anna", first_clip), 500, "catalog.failed"));
  EXPECT_TRUE(is_problem(upload("anna", first_clip), 507, "storage.full"));
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
  EXPECT_FALSE(std::filesystem::exists(avatars / "anna"));
  EXPECT_EQ(findings(), json::array());
  EXPECT_EQ(upload("anna", first_clip)->status, 201);
  recover_and_check();
}

TEST_F(Crash, RefusesToCheckAStoreInUse) {
  start_with("");
  auto child = child_process{program("musetalkd"), {"--check-store"}, settings, folder};
  EXPECT_EQ(child.wait(), 2);
  EXPECT_NE(child.output().find("in use by another musetalkd"), std::string::npos);
}

TEST_F(Crash, FindsWhatIsWrong) {
  start_with("");
  ASSERT_EQ(upload("anna", first_clip)->status, 201);
  ASSERT_EQ(upload("bert", second_clip)->status, 201);
  EXPECT_EQ(findings(), json::array());
  // one byte of a film, and a link
  auto film = std::fstream{avatars / "anna" / "video.mp4", std::ios::in | std::ios::out};
  film.seekp(1000).put('!').flush();
  std::filesystem::remove(avatars / "bert");
  auto codes = std::vector<std::string>{};
  for (const auto& x : findings())
    codes.push_back(x["code"].get<std::string>() + " " + x["object"].get<std::string>());
  EXPECT_EQ(codes,
            (std::vector<std::string>{"version.file_changed anna/v000001", "link.missing bert"}));
  auto verify = child_process{
      program("musetalkctl"), {"--url", server->url(), "verify", "--deep"}, settings, folder};
  EXPECT_EQ(verify.wait(), 5);
  EXPECT_NE(verify.output().find("link.missing"), std::string::npos) << verify.output();
  EXPECT_EQ(server->stop(), 0);
  EXPECT_EQ(offline_check().first, 5);
}

TEST(ShippedServer, HasNoFailpoints) {
  EXPECT_NE(contents_of(program("musetalkd_failpoints")).find("FAILPOINT_TRACE"),
            std::string::npos);
  EXPECT_EQ(contents_of(program("musetalkd")).find("FAILPOINT_TRACE"), std::string::npos);
}

} // namespace musetalk::tests
