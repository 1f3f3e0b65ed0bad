#include "tests/service/service_fixture.hpp"

#include <cstdio>
#include <fstream>

// Avatars that speak, with random networks: sound in, a marked video out.

namespace musetalk::tests {

class Speaking : public Service {
protected:
  /// A server with the avatar `anna` of ten frames.
  void start_with_anna() {
    start();
    auto made = upload("anna", short_clip());
    ASSERT_TRUE(made);
    ASSERT_EQ(made->status, 201) << made->body;
  }

  httplib::Result speak(const std::string& id, const std::filesystem::path& sound,
                        const httplib::MultipartFormDataItems& more = {},
                        const std::string& query = "?wait=300") {
    auto items = more;
    items.push_back(
        {"audio_file", contents_of(sound), sound.filename().string(), "application/octet-stream"});
    return client->Post("/mgmt/v1/avatars/" + id + "/videos" + query, items);
  }

  /// What ffprobe says of a track: `codec,frames` and the like.
  static std::string probed(const std::filesystem::path& file, const std::string& track,
                            const std::string& entries) {
    auto command = "ffprobe -v error -count_frames -select_streams " + track +
                   " -show_entries stream=" + entries + " -of csv=p=0 '" + file.string() + "'";
    auto* out = ::popen(command.c_str(), "r");
    auto result = std::string{};
    for (auto c = std::fgetc(out); c != EOF; c = std::fgetc(out))
      result += static_cast<char>(c);
    EXPECT_EQ(::pclose(out), 0);
    while (result.ends_with('\n'))
      result.pop_back();
    return result;
  }
};

TEST_F(Speaking, MakesAVideoThatPlays) {
  start_with_anna();
  auto made = speak("anna", media("word.wav"));
  ASSERT_TRUE(made);
  ASSERT_EQ(made->status, 201) << made->body;
  auto link = made->get_header_value("Location");
  EXPECT_EQ(link, body_of(made)["links"]["video"]);
  auto job = get(body_of(made)["links"]["job"]);
  EXPECT_EQ(job["kind"], "speak");
  EXPECT_EQ(job["weights"], "synthetic");
  EXPECT_EQ(job["speech"]["version"], "v000001");
  EXPECT_EQ(job["speech"]["video"], link);
  EXPECT_EQ(job["fraction"], 1.);
  auto list = get("/mgmt/v1/avatars/anna/videos");
  ASSERT_EQ(list["total"], 1);
  EXPECT_EQ(list["videos"][0]["frames"], 10);
  EXPECT_EQ(list["videos"][0]["audio_name"], "word.wav");
  EXPECT_EQ(list["videos"][0]["links"]["self"], link);
  auto video = client->Get(link);
  ASSERT_EQ(video->status, 200);
  EXPECT_EQ(video->get_header_value("Content-Type"), "video/mp4");
  auto file = folder / "film.mp4";
  std::ofstream{file, std::ios::binary} << video->body;
  EXPECT_EQ(probed(file, "v:0", "codec_name,nb_read_frames"), "h264,10");
  EXPECT_EQ(probed(file, "v:0", "color_space,color_primaries,color_transfer").find("unknown"),
            std::string::npos);
  EXPECT_EQ(probed(file, "a:0", "codec_name"), "aac");
  // Players ask for parts.
  auto tag = video->get_header_value("ETag");
  EXPECT_EQ(client->Head(link)->get_header_value("Content-Length"),
            std::to_string(video->body.size()));
  auto part = client->Get(link, httplib::Headers{{"Range", "bytes=4-7"}});
  EXPECT_EQ(part->status, 206);
  EXPECT_EQ(part->body, "ftyp");
  EXPECT_EQ(client->Get(link, httplib::Headers{{"If-None-Match", tag}})->status, 304);
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
}

TEST_F(Speaking, MakesTheSameVideoOnceAndKeepsItUntilItIsDeleted) {
  start_with_anna();
  auto first = body_of(speak("anna", media("word.wav")));
  EXPECT_EQ(body_of(speak("anna", media("word.wav")))["job_id"], first["job_id"]);
  auto other = body_of(speak("anna", media("word.wav"), {{"crf", "30", "", ""}}));
  EXPECT_NE(first["job_id"], other["job_id"]);
  EXPECT_EQ(get("/mgmt/v1/avatars/anna/videos")["total"], 2);
  ASSERT_EQ(server->stop(), 0);
  // As a crash between the move and the catalog leaves it.
  std::ofstream{avatars / ".videos" / "anna" / "untold.mp4"} << "half";
  start();
  auto link = first["links"]["video"].get<std::string>();
  EXPECT_EQ(client->Get(link)->status, 200);
  EXPECT_EQ(names_in(avatars / ".videos" / "anna").size(), 2u);
  EXPECT_EQ(client->Delete(link)->status, 200);
  EXPECT_TRUE(is_problem(client->Get(link), 404, "video.not_found"));
  EXPECT_TRUE(is_problem(client->Delete(link), 404, "video.not_found"));
  EXPECT_EQ(names_in(avatars / ".videos" / "anna").size(), 1u);
  EXPECT_EQ(client->Delete("/mgmt/v1/avatars/anna")->status, 200);
  EXPECT_FALSE(std::filesystem::exists(avatars / ".videos" / "anna"));
  EXPECT_TRUE(is_problem(client->Get("/mgmt/v1/avatars/anna/videos"), 404, "avatar.not_found"));
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
}

TEST_F(Speaking, SpeaksWhatLiesBelowARoot) {
  start_with_anna();
  std::filesystem::copy_file(media("word.mp4"), videos / "word.mp4");
  auto body = json{{"audio_path", "word.mp4"}, {"sync_mode", "cut_off"}, {"start_frame", 2}};
  auto made =
      client->Post("/mgmt/v1/avatars/anna/videos?wait=300", body.dump(), "application/json");
  ASSERT_TRUE(made);
  ASSERT_EQ(made->status, 201) << made->body;
  EXPECT_EQ(get("/mgmt/v1/avatars/anna/videos")["videos"][0]["frames"], 8);
  body["audio_path"] = "../word.mp4";
  EXPECT_TRUE(
      is_problem(client->Post("/mgmt/v1/avatars/anna/videos", body.dump(), "application/json"), 403,
                 "audio.path_forbidden"));
  body["audio_path"] = "none.wav";
  EXPECT_TRUE(
      is_problem(client->Post("/mgmt/v1/avatars/anna/videos", body.dump(), "application/json"), 404,
                 "audio.path_not_found"));
}

TEST_F(Speaking, RefusesBadSoundAndBadRequestsClearly) {
  start_with_anna();
  auto refused = [&](const std::string& name, const std::string& code) {
    EXPECT_TRUE(is_problem(speak("anna", media(name)), 422, code)) << name;
  };
  refused("text.mp4", "audio.unreadable");
  refused("still.png", "audio.unreadable");
  refused("plain.mp4", "audio.no_track");
  refused("no_samples.wav", "audio.too_short");
  refused("three_hours.flac", "audio.too_long");
  auto empty = folder / "empty.wav";
  std::ofstream{empty};
  EXPECT_TRUE(is_problem(speak("anna", empty), 422, "audio.unreadable"));
  auto sound = media("word.wav");
  EXPECT_TRUE(is_problem(speak("nobody", sound), 404, "avatar.not_found"));
  EXPECT_TRUE(
      is_problem(speak("anna", sound, {{"fps", "0", "", ""}}), 400, "request.field_invalid"));
  EXPECT_TRUE(is_problem(speak("anna", sound, {{"sync_mode", "remap", "", ""}}), 400,
                         "request.field_invalid"));
  EXPECT_TRUE(is_problem(speak("anna", sound, {{"start_frame", "10", "", ""}}), 400,
                         "request.field_invalid"));
  EXPECT_TRUE(
      is_problem(speak("anna", sound, {{"voice", "low", "", ""}}), 400, "request.field_unknown"));
  EXPECT_TRUE(is_problem(client->Post("/mgmt/v1/avatars/anna/videos", "x", "text/plain"), 415,
                         "request.media_type"));
  EXPECT_TRUE(is_problem(client->Post("/mgmt/v1/avatars/anna/videos", "{}", "application/json"),
                         400, "request.field_missing"));
  EXPECT_EQ(get("/mgmt/v1/avatars/anna/videos")["total"], 0);
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
}

TEST_F(Speaking, CancelsInTheMiddleAndLeavesNothing) {
  start_with_anna();
  settings["MUSETALKD_CREDIT_BATCHES"] = "1";
  ASSERT_EQ(server->stop(), 0);
  start();
  auto accepted = body_of(speak("anna", media("long_speech.flac"), {}, ""));
  auto id = accepted["job_id"].get<std::string>();
  server->process().wait_for_line("job " + id + " runs");
  client->Post("/mgmt/v1/jobs/" + id + "/cancel");
  EXPECT_EQ(final_job(id)["status"], "cancelled");
  EXPECT_EQ(get("/mgmt/v1/avatars/anna/videos")["total"], 0);
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
}

TEST_F(Speaking, NeedsAnAvatarMadeWithNetworks) {
  settings["ENABLE_AVATAR"] = "false";
  start();
  ASSERT_EQ(upload("mock", short_clip())->status, 201);
  EXPECT_TRUE(is_problem(speak("mock", media("word.wav")), 503, "models.missing"));
  ASSERT_EQ(server->stop(), 0);
  settings["ENABLE_AVATAR"] = "true";
  start();
  EXPECT_TRUE(is_problem(speak("mock", media("word.wav")), 409, "avatar.not_ready"));
}

} // namespace musetalk::tests
