#include "tests/service/service_fixture.hpp"

#include <future>

// The whole path with random networks: real face networks, real libav, real VAE code.

namespace musetalk::tests {

class Native : public Service {
protected:
  /// Starts a job that takes long, and waits until it runs. @returns its id.
  std::string start_long_job(const std::string& id) {
    auto accepted = body_of(upload(id, media("carphone.mp4"), ""));
    server->process().wait_for_line("job " + accepted["job_id"].get<std::string>() + " runs");
    return accepted["job_id"];
  }
};

TEST_F(Native, MakesAFolderThatMuseTalkOpens) {
  start();
  auto answer = upload("anna", short_clip());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 201) << answer->body;
  auto x = get("/mgmt/v1/avatars/anna");
  auto frames = x["versions"][0]["frames"].get<size_t>();
  EXPECT_EQ(frames, 10u);
  EXPECT_EQ(x["versions"][0]["weights"], "synthetic");
  EXPECT_EQ(x["job"]["weights"], "synthetic");
  auto manifest = json::parse(contents_of(avatars / "anna" / "manifest.json"));
  EXPECT_EQ(manifest["faces"]["backend"], "mediapipe");
  EXPECT_EQ(manifest["faces"]["mask"], "polygon");
  // The mirrored half doubles them.
  EXPECT_EQ(names_in(avatars / "anna" / "full_imgs").size(), 2 * frames);
  EXPECT_EQ(names_in(avatars / "anna" / "mask").size(), 2 * frames);
  for (auto name : {"coords.pkl", "mask_coords.pkl", "latents.pt", "avator_info.json", "video.mp4"})
    EXPECT_TRUE(std::filesystem::is_regular_file(avatars / "anna" / name)) << name;
  auto sheet = client->Get("/mgmt/v1/avatars/anna/contact_sheet.jpg");
  EXPECT_EQ(sheet->status, 200);
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
  EXPECT_EQ(client->Get("/readyz")->status, 200);
}

TEST_F(Native, MakesTheSameFolderWithTheFaceNetworksOfTheDevice) {
  settings["MUSETALKD_FACE_BACKEND"] = "dwpose";
  settings["MUSETALKD_PARSING_MODE"] = "neck";
  // Threads that wait for each other by turning in circles are slow on cores that others use.
  settings["MUSETALKD_CPU_THREADS"] = "1";
  // Nothing of the packaged networks is needed.
  settings["MUSETALKD_FACE_MODELS_DIR"] = (folder / "none").string();
  start();
  server->process().wait_for_line("faces by dwpose, masks by bisenet (neck)");
  auto answer = upload("anna", short_clip());
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->status, 201) << answer->body;
  auto x = get("/mgmt/v1/avatars/anna");
  EXPECT_EQ(x["versions"][0]["frames"], 10);
  EXPECT_EQ(x["versions"][0]["weights"], "synthetic");
  EXPECT_EQ(names_in(avatars / "anna" / "full_imgs").size(), 20u);
  EXPECT_EQ(names_in(avatars / "anna" / "mask").size(), 20u);
  auto manifest = json::parse(contents_of(avatars / "anna" / "manifest.json"));
  auto methods = json{{"backend", "dwpose"}, {"mask", "bisenet"}, {"parsing_mode", "neck"}};
  EXPECT_EQ(manifest["faces"], methods);
  EXPECT_EQ(get("/health")["models"]["faces"], methods);
  EXPECT_EQ(client->Get("/mgmt/v1/avatars/anna/contact_sheet.jpg")->status, 200);
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
  EXPECT_EQ(server->stop(), 0);
}

TEST_F(Native, AdoptsAFolderOfAnotherMachine) {
  start();
  ASSERT_EQ(upload("anna", short_clip())->status, 201);
  ASSERT_EQ(server->stop(), 0);
  auto others = folder / "others";
  std::filesystem::create_directories(others);
  std::filesystem::copy(std::filesystem::canonical(avatars / "anna"), others / "anna",
                        std::filesystem::copy_options::recursive);
  std::filesystem::remove(others / "anna" / "manifest.json");
  settings["AVATARS_DIR"] = others.string();
  start();
  auto x = get("/mgmt/v1/avatars/anna");
  EXPECT_EQ(x["status"], "ready") << x;
  EXPECT_EQ(x["versions"][0]["engine"], "adopted");
  EXPECT_EQ(x["versions"][0]["frames"], 10);
  EXPECT_EQ(client->Get("/mgmt/v1/avatars/anna/preview.jpg")->status, 200);
}

TEST_F(Native, FailsAJobWithoutAFaceClearly) {
  start();
  auto answer = upload("anna", media("plain.mp4"));
  EXPECT_TRUE(is_problem(answer, 422, "face.none"));
  auto job = get("/mgmt/v1/jobs/" + body_of(answer)["job_id"].get<std::string>());
  EXPECT_EQ(job["status"], "failed");
  EXPECT_EQ(job["error"]["code"], "face.none");
  EXPECT_FALSE(job["error"]["hint"].get<std::string>().empty());
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
}

TEST_F(Native, DeletesDuringAJobOnlyByForce) {
  start();
  auto id = start_long_job("anna");
  EXPECT_TRUE(is_problem(client->Delete("/mgmt/v1/avatars/anna"), 409, "avatar.busy"));
  auto forced = client->Delete("/mgmt/v1/avatars/anna?force=true");
  ASSERT_TRUE(forced);
  EXPECT_EQ(forced->status, 200) << forced->body;
  EXPECT_EQ(get("/mgmt/v1/jobs/" + id)["status"], "cancelled");
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
  EXPECT_EQ(get("/mgmt/v1/avatars")["total"], 0);
}

TEST_F(Native, CancelsAJob) {
  start();
  auto id = start_long_job("anna");
  auto answer = client->Post("/mgmt/v1/jobs/" + id + "/cancel");
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->status == 202 || answer->status == 200) << answer->body;
  EXPECT_EQ(final_job(id)["status"], "cancelled");
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
  EXPECT_FALSE(std::filesystem::exists(avatars / "anna"));
}

TEST_F(Native, RefusesMoreJobsThanTheQueueHolds) {
  settings["MUSETALKD_QUEUE_LIMIT"] = "1";
  start();
  auto running = start_long_job("anna");
  auto queued = body_of(upload("bert", short_clip(), ""));
  EXPECT_EQ(queued["status"], "queued");
  auto refused = upload("carl", short_clip());
  EXPECT_TRUE(is_problem(refused, 429, "queue.full"));
  EXPECT_GT(std::stoi(refused->get_header_value("Retry-After")), 0);
  client->Post("/mgmt/v1/jobs/" + running + "/cancel");
  EXPECT_EQ(final_job(queued["job_id"])["status"], "completed");
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
}

TEST_F(Native, StopsInTheMiddleAndTakesUpAgain) {
  start();
  auto waiting = std::async(std::launch::async, [&] {
    auto other = httplib::Client{"127.0.0.1", server->port()};
    other.set_read_timeout(400);
    return other.Post("/mgmt/v1/avatars/upload?wait=300", form("anna", short_clip()));
  });
  server->process().wait_for_line("runs, attempt 1");
  EXPECT_EQ(server->stop(), 0);
  // The one who waits is told where the job stands.
  auto answer = waiting.get();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 202) << answer->body;
  EXPECT_EQ(names_in(avatars / ".staging"), std::vector<std::string>{});
  start();
  EXPECT_EQ(final_job(body_of(answer)["job_id"])["status"], "completed");
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
}

TEST_F(Native, RefusesAnotherFaceBackendThanTheOneThatWasWanted) {
  settings["MUSETALKD_WEIGHTS"] = "auto";
  settings["MUSETALKD_FACE_BACKEND"] = "dwpose";
  start();
  server->process().wait_for_line("masks are drawn from the points of the face");
  auto missing = body_of(client->Get("/readyz"))["missing"].dump();
  EXPECT_NE(missing.find("dwpose/dw-ll_ucoco_384.pth"), std::string::npos) << missing;
  EXPECT_NE(missing.find("s3fd/s3fd-619a316812.pth"), std::string::npos) << missing;
  EXPECT_EQ(missing.find("face-parse-bisent"), std::string::npos) << missing;
}

TEST_F(Native, StartsWithoutWeightsAndSaysWhichAreMissing) {
  settings["MUSETALKD_WEIGHTS"] = "auto";
  start();
  EXPECT_EQ(client->Get("/livez")->status, 200);
  auto ready = client->Get("/readyz");
  EXPECT_TRUE(is_problem(ready, 503, "models.missing"));
  EXPECT_NE(body_of(ready)["missing"].dump().find("sd-vae/"), std::string::npos);
  EXPECT_EQ(get("/health")["status"], "degraded");
  auto refused = upload("anna", short_clip());
  EXPECT_TRUE(is_problem(refused, 503, "models.missing"));
  EXPECT_NE(body_of(refused)["detail"].get<std::string>().find("sd-vae/"), std::string::npos);
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
}

} // namespace musetalk::tests
