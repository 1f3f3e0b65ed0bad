#include "http/json.hpp"

#include "actors/interfaces.hpp"
#include "pipeline/face_methods.hpp"
#include "pipeline/weights.hpp"

#include <gtest/gtest.h>

namespace musetalk::http {

namespace {

using pipeline::job_stage;
using pipeline::job_state;

constexpr auto noon_us = pipeline::timestamp_us{1'714'564'800'000'000}; // 2024-05-01T12:00:00Z

pipeline::job_view queued_job() {
  auto x = pipeline::job_view{};
  x.record.job_id = "j1";
  x.record.request.avatar_id = "anna";
  x.record.created_us = noon_us;
  x.record.queued_us = noon_us;
  x.record.weights = "synthetic";
  x.position = 2;
  return x;
}

pipeline::avatar some_avatar() {
  auto x = pipeline::avatar{};
  x.avatar_id = "anna";
  x.created_us = noon_us;
  x.updated_us = noon_us;
  x.status = "ready";
  x.current_version = "v000001";
  x.latest_job_id = "j1";
  auto version = pipeline::avatar_version{};
  version.version = "v000001";
  version.created_us = noon_us;
  version.frames = 250;
  x.versions.push_back(version);
  return x;
}

std::vector<std::string> keys_of(const json& x) {
  auto result = std::vector<std::string>{};
  for (const auto& [key, value] : x.items())
    result.push_back(key);
  return result;
}

} // namespace

TEST(Json, ShowsAQueuedJob) {
  EXPECT_EQ(text_of(to_json(queued_job())),
            R"({"job_id":"j1","avatar_id":"anna","kind":"create","status":"queued","stage":null,)"
            R"("fraction":0.0,"frames_done":null,"frames_total":null,"position":2,"eta_s":null,)"
            R"("priority":"normal","attempt":1,"created_at":"2024-05-01T12:00:00.000Z",)"
            R"("queued_at":"2024-05-01T12:00:00.000Z","started_at":null,"finished_at":null,)"
            R"("timings_ms":{},"weights":"synthetic","error":null})");
}

TEST(Json, ShowsStageFractionAndEtaOfARunningJob) {
  auto x = queued_job();
  x.record.state = job_state::running;
  x.progress.stage = job_stage::prepare;
  x.progress.fraction = .25;
  x.eta_s = 12.5;
  auto shown = to_json(x);
  EXPECT_EQ(shown["status"], "running");
  EXPECT_EQ(shown["stage"], "prepare");
  EXPECT_EQ(shown["fraction"], .25);
  EXPECT_EQ(shown["eta_s"], 12.5);
  EXPECT_TRUE(shown["position"].is_null());
}

TEST(Json, ShowsWhyAJobFailedWithTheHintOfItsCode) {
  auto x = queued_job();
  x.record.state = job_state::failed;
  x.record.failure = {errc::video_too_long, "The video has 61.0 s; the limit is 30.0 s."};
  auto shown = to_json(x);
  EXPECT_EQ(shown["error"]["code"], "video.too_long");
  EXPECT_EQ(shown["error"]["detail"], "The video has 61.0 s; the limit is 30.0 s.");
  EXPECT_NE(shown["error"]["hint"].get<std::string>().find("MUSETALKD_MAX_VIDEO_SECONDS"),
            std::string::npos);
}

TEST(Json, CountsACompletedJobAsWhole) {
  auto x = queued_job();
  x.record.state = job_state::completed;
  x.record.timings_ms = {{"prepare", 1200}};
  auto shown = to_json(x);
  EXPECT_EQ(shown["fraction"], 1.);
  EXPECT_EQ(shown["timings_ms"]["prepare"], 1200);
  EXPECT_TRUE(shown["stage"].is_null());
}

TEST(Json, ListsAvatarsByIdAlone) {
  auto page = pipeline::avatar_page{1, {some_avatar()}, ""};
  EXPECT_EQ(text_of(to_json(page, false)), R"({"total":1,"avatars":["anna"]})");
  EXPECT_EQ(text_of(to_json(pipeline::avatar_page{}, false)), R"({"total":0,"avatars":[]})");
}

TEST(Json, ListsAvatarsAsObjectsAndSaysWhereToGoOn) {
  auto page = pipeline::avatar_page{7, {some_avatar()}, "next"};
  auto shown = to_json(page, true);
  EXPECT_EQ(keys_of(shown), (std::vector<std::string>{"total", "avatars", "next_cursor"}));
  EXPECT_EQ(shown["avatars"][0]["avatar_id"], "anna");
  EXPECT_EQ(shown["avatars"][0]["versions"][0]["frames"], 250);
  EXPECT_EQ(shown["avatars"][0]["job_id"], "j1");
}

TEST(Json, ShowsAnAvatarWithItsJob) {
  auto shown = to_json(some_avatar(), queued_job());
  EXPECT_EQ(keys_of(shown),
            (std::vector<std::string>{"avatar_id", "tutor_id", "status", "created_at", "updated_at",
                                      "used_at", "pinned", "current_version", "versions", "job",
                                      "links"}));
  EXPECT_EQ(shown["job"]["job_id"], "j1");
  EXPECT_TRUE(shown["tutor_id"].is_null());
  EXPECT_EQ(shown["links"]["preview"], "/mgmt/v1/avatars/anna/preview.jpg");
  EXPECT_TRUE(to_json(some_avatar(), std::nullopt)["job"].is_null());
}

TEST(Json, AcceptsWithLinksToJobAndAvatar) {
  EXPECT_EQ(
      text_of(accepted_json(queued_job())),
      R"({"avatar_id":"anna","job_id":"j1","status":"queued","position":2,"eta_s":null,)"
      R"("reused":false,"links":{"job":"/mgmt/v1/jobs/j1","avatar":"/mgmt/v1/avatars/anna"}})");
}

TEST(Json, SaysWhatIsDeleted) {
  EXPECT_EQ(text_of(deleted_json("anna")), R"({"avatar_id":"anna","deleted":true})");
}

TEST(Json, TellsHealth) {
  auto weights = pipeline::weights_status{"real", false, {"sd-vae/config.json: missing"}, {}, {}};
  auto shown = health_json(weights, actors::queue_status{}, "native", "native",
                           {pipeline::face_backend::dwpose, pipeline::mask_source::bisenet});
  EXPECT_EQ(keys_of(shown),
            (std::vector<std::string>{"status", "mode", "engine", "models", "device", "queue"}));
  EXPECT_EQ(shown["status"], "degraded");
  EXPECT_EQ(shown["models"]["problems"][0], "sd-vae/config.json: missing");
  EXPECT_EQ(shown["models"]["faces"]["backend"], "dwpose");
  EXPECT_EQ(shown["models"]["faces"]["mask"], "bisenet");
  EXPECT_EQ(shown["models"]["faces"]["parsing_mode"], "jaw");
  auto mock = health_json({"none", true, {}, {}, {}}, {}, "mock", "native", {});
  EXPECT_EQ(mock["status"], "ok");
  EXPECT_TRUE(mock["models"]["faces"].is_null());
}

TEST(Json, NeverFailsForTextThatIsNoUtf8) {
  EXPECT_EQ(text_of(json{{"x", "a\xff"}}), "{\"x\":\"a\xEF\xBF\xBD\"}");
}

} // namespace musetalk::http
