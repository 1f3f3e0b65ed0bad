#include "tests/service/service_fixture.hpp"

#include <sys/mount.h>

#include <fstream>

// A full disk fails a job with a clear answer in whichever stage it strikes; nothing of the job
// stays, and what was there before is untouched.

namespace musetalk::tests {

class FullDisk : public Service {
protected:
  /// Puts `AVATARS_DIR` on a file system of that many kB. False where this user may not.
  bool mount(int kilobytes) {
    std::filesystem::create_directories(avatars);
    auto options = "size=" + std::to_string(kilobytes) + "k";
    mounted_ = ::mount("tmpfs", avatars.c_str(), "tmpfs", 0, options.c_str()) == 0;
    return mounted_;
  }

  ~FullDisk() override {
    client.reset();
    server.reset();
    if (mounted_)
      ::umount(avatars.c_str());
  }

  /// Writes a file that leaves so much room.
  void fill(const std::filesystem::path& ballast, uintmax_t free_kilobytes) {
    std::filesystem::remove(ballast);
    auto room = std::filesystem::space(avatars).available;
    auto wanted = free_kilobytes * 1024;
    if (room > wanted)
      std::ofstream{ballast} << std::string(room - wanted, 'x');
  }

private:
  bool mounted_ = false;
};

TEST_F(FullDisk, RefusesAnUploadThatDoesNotFit) {
  if (!mount(1000))
    GTEST_SKIP() << "only root may mount the small file system of this test";
  settings["ENABLE_AVATAR"] = "false";
  start();
  auto large = folder / "large.mp4";
  std::ofstream{large} << std::string(2'000'000, 'x');
  EXPECT_TRUE(is_problem(upload("a", large), 507, "storage.full"));
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
  EXPECT_EQ(client->Get("/readyz")->status, 200);
  EXPECT_EQ(upload("a", media("one_frame.mp4"))->status, 201);
}

TEST_F(FullDisk, RefusesAnAvatarThatCannotFitWithTheNumbers) {
  if (!mount(1400))
    GTEST_SKIP() << "only root may mount the small file system of this test";
  settings["ENABLE_AVATAR"] = "false";
  start();
  // The upload fits; together with the converted video it does not.
  auto answer = upload("a", media("carphone.mp4"));
  EXPECT_TRUE(is_problem(answer, 507, "storage.full"));
  EXPECT_NE(body_of(answer)["detail"].get<std::string>().find("The avatar needs about 1."),
            std::string::npos)
      << answer->body;
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
  EXPECT_EQ(get("/mgmt/v1/jobs")["total"], 0);
  EXPECT_EQ(upload("b", media("one_frame.mp4"))->status, 201);
}

TEST_F(FullDisk, FailsARunningJobWhenOthersFillIt) {
  if (!mount(14000))
    GTEST_SKIP() << "only root may mount the small file system of this test";
  start();
  ASSERT_EQ(upload("before", short_clip())->status, 201);
  // A hundred frames: it has not ended when the disk is full.
  auto id = body_of(upload("a", media("carphone.mp4"), ""))["job_id"].get<std::string>();
  fill(avatars / ".ballast", 0);
  auto job = final_job(id);
  EXPECT_EQ(job["status"], "failed") << job;
  EXPECT_EQ(job["error"]["code"], "storage.full") << job;
  // with no byte free
  fill(avatars / ".ballast", 0);
  EXPECT_EQ(get("/mgmt/v1/avatars/before")["status"], "ready");
  EXPECT_EQ(client->Delete("/mgmt/v1/avatars/before")->status, 200);
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
  EXPECT_EQ(body_of(client->Post("/mgmt/v1/store/check"))["findings"], json::array());
}

TEST_F(FullDisk, TakesANativeAvatarOnlyWhenItFits) {
  if (!mount(8000))
    GTEST_SKIP() << "only root may mount the small file system of this test";
  start();
  ASSERT_EQ(upload("before", short_clip())->status, 201);
  auto manifest = contents_of(avatars / "before" / "manifest.json");
  auto ballast = avatars / ".ballast";
  auto made = false;
  // From too little for the upload to enough for all of it.
  for (auto free_kb = 10; free_kb <= 2000 && !made; free_kb += 110) {
    fill(ballast, free_kb);
    auto answer = upload("a", short_clip(), "?wait=300&force=true");
    ASSERT_TRUE(answer);
    made = answer->status == 201;
    if (!made) {
      EXPECT_TRUE(is_problem(answer, 507, "storage.full")) << free_kb << " kB free";
    }
    EXPECT_EQ(leftovers(), std::vector<std::string>{}) << free_kb << " kB free";
    EXPECT_EQ(contents_of(avatars / "before" / "manifest.json"), manifest);
    EXPECT_EQ(client->Get("/livez")->status, 200);
  }
  EXPECT_TRUE(made);
}

} // namespace musetalk::tests
