#include "tests/service/crash_fixture.hpp"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <fstream>

namespace musetalk::tests {

namespace {

constexpr auto patience = std::chrono::seconds{60};

bool is_final(const json& job) {
  auto status = job.value("status", "");
  return status == "completed" || status == "failed" || status == "cancelled";
}

} // namespace

Crash::Crash() {
  server_name = "musetalkd_failpoints";
  settings["MUSETALKD_KEEP_FAILED_SECONDS"] = "0";
  std::filesystem::copy_file(first_clip, videos / "talk.mp4");
  begin_anew();
}

void Crash::begin_anew() {
  client.reset();
  server.reset();
  std::filesystem::remove_all(avatars);
  // As the old manager left one.
  std::filesystem::create_directories(avatars / "plain");
  std::ofstream{avatars / "plain" / "avatar_info.txt"} << "avatar_id: plain\n";
  client_was = {};
}

// -- the client's script -------------------------------------------------------------

/// Remembers what an answer promises. False when there was none.
bool Crash::note(const httplib::Result& answer, const std::string& avatar) {
  if (!answer)
    return false;
  auto body = body_of(answer);
  if (body.contains("job_id"))
    client_was.jobs.insert(body["job_id"]);
  if (answer->status >= 400)
    client_was.refusals.insert(body.value("code", "none"));
  if (answer->status == 201)
    return note_job(body["job_id"], avatar);
  return true;
}

/// Waits for a job, and remembers the version that it made.
bool Crash::note_job(const std::string& id, const std::string& avatar) {
  auto deadline = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < deadline) {
    auto answer = client->Get("/mgmt/v1/jobs/" + id);
    if (!answer)
      return false;
    auto job = body_of(answer);
    if (!is_final(job))
      continue;
    if (job["status"] == "failed")
      client_was.refusals.insert(job["error"].value("code", "none"));
    auto versions = client->Get("/mgmt/v1/avatars/" + avatar + "/versions");
    if (!versions)
      return false;
    if (job["status"] == "completed")
      for (const auto& x : body_of(versions).value("versions", json::array()))
        if (x["job_id"] == id)
          client_was.present[avatar].insert(x["version"]);
    return true;
  }
  ADD_FAILURE() << "job " << id << " does not end";
  return false;
}

bool Crash::make() {
  return note(upload("anna", first_clip), "anna");
}

bool Crash::make_second() {
  return note(upload("anna", second_clip), "anna");
}

bool Crash::go_back() {
  auto answer = client->Post("/mgmt/v1/avatars/anna/versions/v000001/activate");
  return note(answer, "anna");
}

bool Crash::delete_second() {
  // Until there is an answer it may be there or gone.
  auto was_there = client_was.present["anna"].erase("v000002") > 0;
  auto answer = client->Delete("/mgmt/v1/avatars/anna/versions/v000002");
  if (!note(answer, "anna"))
    return false;
  if (answer->status == 200)
    client_was.gone["anna"].insert("v000002");
  else if (was_there)
    client_was.present["anna"].insert("v000002");
  return true;
}

bool Crash::cancel_and_retry() {
  // The second job of an avatar waits for the first.
  auto running = upload("bert", long_clip, "");
  if (!note(running, "bert"))
    return false;
  auto waiting =
      create({{"avatar_id", "bert"}, {"video_path", (videos / "talk.mp4").string()}}, "");
  if (!note(waiting, "bert"))
    return false;
  for (const auto& [answer, call] :
       {std::pair{&waiting, "/cancel"}, {&waiting, "/retry"}, {&running, "/cancel"}})
    if (auto id = body_of(*answer).value("job_id", ""); !id.empty())
      if (!note(client->Post("/mgmt/v1/jobs/" + id + call), "bert"))
        return false;
  for (const auto& answer : {&running, &waiting})
    if (auto id = body_of(*answer).value("job_id", ""); !id.empty() && !note_job(id, "bert"))
      return false;
  return true;
}

bool Crash::be_refused() {
  return note(upload("carl", media("text.mp4")), "carl");
}

bool Crash::repeat() {
  auto body = json{{"avatar_id", "bert"}, {"video_path", (videos / "talk.mp4").string()}};
  for (auto key : {"first", "second", "second"})
    if (!note(client->Post("/mgmt/v1/avatars/create?wait=60", {{"Idempotency-Key", key}},
                           body.dump(), "application/json"),
              "bert"))
      return false;
  return true;
}

bool Crash::adopt() {
  return note(upload("plain", first_clip), "plain");
}

bool Crash::delete_avatar() {
  for (auto avatar : {"anna", "plain"}) {
    auto had = client_was.present.extract(avatar);
    auto answer = client->Delete("/mgmt/v1/avatars/" + std::string{avatar} + "?force=true");
    if (!note(answer, avatar))
      return false;
    if (answer->status == 200 && had)
      client_was.gone[avatar].merge(had.mapped());
    else if (had)
      client_was.present.insert(std::move(had));
  }
  return true;
}

bool Crash::speak() {
  auto sound = httplib::MultipartFormDataItems{
      {"audio_file", contents_of(media("beep.wav")), "beep.wav", "audio/wav"}};
  auto made = client->Post("/mgmt/v1/avatars/anna/videos?wait=300", sound);
  if (!note(made, "anna"))
    return false;
  auto link = made->get_header_value("Location");
  return link.empty() || note(client->Delete(link), "anna");
}

bool Crash::settle() {
  leftovers();
  return static_cast<bool>(client->Get("/livez"));
}

std::vector<Crash::step> Crash::life() {
  return {&Crash::make,
          &Crash::make_second,
          &Crash::go_back,
          &Crash::delete_second,
          &Crash::cancel_and_retry,
          &Crash::be_refused,
          &Crash::repeat,
          &Crash::adopt,
          &Crash::delete_avatar,
          &Crash::settle};
}

bool Crash::run(const std::vector<step>& script) {
  return std::all_of(script.begin(), script.end(), [&](step x) { return (this->*x)(); });
}

// -- a failpoint -----------------------------------------------------------------------

void Crash::start_with(const std::string& failpoint) {
  settings["FAILPOINT"] = failpoint;
  start();
}

bool Crash::dies_at(const std::string& failpoint, const std::vector<step>& script) {
  start_with(failpoint);
  auto lived = run(script);
  return !lived && server->process().wait() == -SIGKILL;
}

bool Crash::dies_starting(const std::string& failpoint) {
  client.reset();
  server.reset();
  auto with = settings;
  with["FAILPOINT"] = failpoint;
  auto child = child_process{program(server_name), {"--listen", "127.0.0.1:0"}, with, folder};
  return child.wait() == -SIGKILL;
}

// -- what is left ------------------------------------------------------------------------

json Crash::findings() {
  auto answer = client->Post("/mgmt/v1/store/check?deep=true");
  if (!answer || answer->status != 200)
    return answer ? json{answer->body} : json{"no answer"};
  return body_of(answer)["findings"];
}

std::pair<int, json> Crash::offline_check() {
  auto child =
      child_process{program("musetalkd"), {"--check-store", "--deep", "--json"}, settings, folder};
  auto code = child.wait();
  return {code, json::parse(child.output(), nullptr, false)};
}

void Crash::recover_and_check() {
  start_with("");
  // every job that was accepted is there and ends
  for (const auto& id : client_was.jobs)
    EXPECT_TRUE(is_final(final_job(id))) << get("/mgmt/v1/jobs/" + id).dump();
  for (const auto& job : get("/mgmt/v1/jobs?limit=1000")["jobs"])
    EXPECT_TRUE(is_final(final_job(job["job_id"]))) << job.dump();
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
  EXPECT_EQ(findings(), json::array());
  // what the client was told is still so
  for (const auto& [avatar, versions] : client_was.present) {
    if (versions.empty())
      continue;
    auto listed = std::set<std::string>{};
    for (const auto& x : get("/mgmt/v1/avatars/" + avatar).value("versions", json::array()))
      listed.insert(x["version"]);
    for (const auto& x : versions)
      EXPECT_TRUE(listed.contains(x)) << avatar << " has lost " << x;
    EXPECT_TRUE(std::filesystem::exists(avatars / avatar / "video.mp4")) << avatar;
  }
  for (const auto& [avatar, versions] : client_was.gone)
    for (const auto& x : versions)
      if (!client_was.holds(avatar) || !client_was.present[avatar].contains(x)) {
        EXPECT_FALSE(std::filesystem::exists(avatars / ".store" / avatar / x))
            << avatar << " " << x;
      }
  EXPECT_EQ(upload("after", first_clip)->status, 201);
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
  EXPECT_EQ(server->stop(), 0);
  auto [code, report] = offline_check();
  EXPECT_EQ(code, 0) << report.dump(1);
}

NativeCrash::NativeCrash() {
  settings["ENABLE_AVATAR"] = "true";
  first_clip = short_clip();
  second_clip = media("carphone.mp4");
}

std::vector<Crash::step> NativeCrash::short_life() {
  return {&Crash::make, &Crash::speak, &Crash::delete_avatar, &Crash::settle};
}

} // namespace musetalk::tests
