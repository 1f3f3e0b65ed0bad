#include "tests/service/service_fixture.hpp"

#include <signal.h>

#include <fstream>
#include <sstream>

// Start, stop, restart, and what the programs say on the command line.

namespace musetalk::tests {

namespace {

/// A program that ends by itself.
struct outcome {
  int code = 0;
  std::string output;
};

outcome run(const std::string& name, const std::vector<std::string>& arguments,
            const environment& settings, const std::filesystem::path& folder) {
  auto child = child_process{program(name), arguments, settings, folder};
  auto code = child.wait();
  return {code, child.output()};
}

/// Whether a thread blocks a signal; from its `status` in /proc.
bool blocks(const std::filesystem::path& thread, int signal) {
  auto status = contents_of(thread / "status");
  auto mask = std::stoull(status.substr(status.find("SigBlk:") + 7), nullptr, 16);
  return (mask >> (signal - 1) & 1) != 0;
}

std::vector<json> lines_of(const std::string& output) {
  auto result = std::vector<json>{};
  auto in = std::istringstream{output};
  for (auto line = std::string{}; std::getline(in, line);)
    result.push_back(json::parse(line, nullptr, false));
  return result;
}

} // namespace

class LifeCycle : public MockService {};

TEST_F(LifeCycle, StopsOnASignalAndKeepsItsAvatars) {
  start();
  upload("anna", media("one_frame.mp4"));
  EXPECT_EQ(server->stop(), 0);
  start();
  EXPECT_EQ(get("/mgmt/v1/avatars")["avatars"], (json{"anna"}));
  EXPECT_EQ(get("/mgmt/v1/avatars/anna")["job"]["status"], "completed");
  server->process().signal(SIGINT);
  EXPECT_EQ(server->process().wait(), 0);
}

// A signal may go to any thread that does not block it; all but the one that waits would die of it.
TEST_F(LifeCycle, LetsOneThreadAloneSeeTheStopSignals) {
  start();
  auto main = std::to_string(server->process().id());
  auto others = 0;
  for (const auto& thread : std::filesystem::directory_iterator{"/proc/" + main + "/task"}) {
    if (thread.path().filename() == main)
      continue;
    ++others;
    for (auto signal : {SIGINT, SIGTERM})
      EXPECT_TRUE(blocks(thread.path(), signal)) << contents_of(thread.path() / "comm");
  }
  EXPECT_GT(others, 5);
}

TEST_F(LifeCycle, LetsIdleThreadsSleepUnlessTold) {
  const auto policy_of = [&] {
    const auto text = contents_of("/proc/" + std::to_string(server->process().id()) + "/environ");
    const auto at = text.find("OMP_WAIT_POLICY=");
    return at == std::string::npos ? "" : std::string{text.c_str() + at};
  };
  settings.erase("OMP_WAIT_POLICY");
  start();
  EXPECT_EQ(policy_of(), "OMP_WAIT_POLICY=PASSIVE");
  EXPECT_EQ(contents_of("/proc/" + std::to_string(server->process().id()) + "/comm"),
            "musetalkd\n");
  EXPECT_EQ(server->stop(), 0);
  settings["OMP_WAIT_POLICY"] = "ACTIVE";
  start();
  EXPECT_EQ(policy_of(), "OMP_WAIT_POLICY=ACTIVE");
}

TEST_F(LifeCycle, RefusesASecondInstanceOnTheSameFolder) {
  start();
  auto second = run("musetalkd", {"--listen", "127.0.0.1:0"}, settings, folder);
  EXPECT_EQ(second.code, 2);
  EXPECT_NE(second.output.find("in use by another musetalkd"), std::string::npos) << second.output;
  EXPECT_EQ(client->Get("/livez")->status, 200);
}

TEST_F(LifeCycle, RefusesAnAddressThatIsTaken) {
  start();
  settings["AVATARS_DIR"] = (folder / "others").string();
  auto second = run("musetalkd", {"--listen", "127.0.0.1:" + std::to_string(server->port())},
                    settings, folder);
  EXPECT_EQ(second.code, 2) << second.output;
}

TEST_F(LifeCycle, NamesWrongSettings) {
  settings["MUSETALKD_QUEU_LIMIT"] = "3";
  auto x = run("musetalkd", {}, settings, folder);
  EXPECT_EQ(x.code, 2);
  EXPECT_NE(x.output.find("Did you mean MUSETALKD_QUEUE_LIMIT?"), std::string::npos) << x.output;
}

TEST_F(LifeCycle, PrintsItsConfigurationWithOrigins) {
  std::ofstream{folder / ".env"} << "MUSETALKD_QUEUE_LIMIT=5\n";
  auto x = run("musetalkd", {"--print-config", "--batch-frames", "4"}, settings, folder);
  EXPECT_EQ(x.code, 0);
  for (auto part : {"MUSETALKD_QUEUE_LIMIT", ".env:1", "environment", "flag", "default"})
    EXPECT_NE(x.output.find(part), std::string::npos) << part << "\n" << x.output;
  EXPECT_EQ(run("musetalkd", {"--version"}, settings, folder).code, 0);
}

TEST_F(LifeCycle, TakesUpAfterAKillInMidWork) {
  start();
  auto accepted = body_of(upload("anna", media("carphone.mp4"), ""));
  server->process().wait_for_line("runs, attempt 1");
  server->process().signal(SIGKILL);
  server->process().wait();
  start();
  auto job = final_job(accepted["job_id"]);
  EXPECT_EQ(job["status"], "completed") << job;
  EXPECT_EQ(job["attempt"], 2) << job;
  EXPECT_EQ(get("/mgmt/v1/avatars")["avatars"], (json{"anna"}));
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
}

TEST_F(LifeCycle, LogsOneJsonObjectForEachRequest) {
  settings["MUSETALKD_LOG_FORMAT"] = "json";
  settings["MUSETALKD_LOG_LEVEL"] = "debug";
  start();
  client->Get("/livez", {{"X-Request-Id", "my-request"}});
  auto line = json::parse(server->process().wait_for_line("my-request"));
  EXPECT_EQ(line["request_id"], "my-request");
  EXPECT_EQ(line["path"], "/livez");
  EXPECT_EQ(line["status"], 200);
}

TEST_F(LifeCycle, AdoptsThePlainFoldersOfTheOldManager) {
  std::filesystem::create_directories(avatars / "old");
  std::ofstream{avatars / "old" / "avatar_info.txt"} << "made long ago";
  // Looks like an avatar, and is none: left alone.
  std::filesystem::create_directories(avatars / "broken");
  std::ofstream{avatars / "broken" / "coords.pkl"} << "no pickle";
  start();
  EXPECT_EQ(get("/mgmt/v1/avatars")["avatars"], (json{"old"}));
  EXPECT_EQ(get("/mgmt/v1/avatars/old")["current_version"], "adopted");
  EXPECT_EQ(contents_of(avatars / "old" / "avatar_info.txt"), "made long ago");
  EXPECT_EQ(contents_of(avatars / "broken" / "coords.pkl"), "no pickle");
  EXPECT_TRUE(is_problem(client->Get("/mgmt/v1/avatars/old/preview.jpg"), 404, "avatar.not_found"));
}

// -- musetalkctl -------------------------------------------------------------------

class Ctl : public MockService {
protected:
  outcome ctl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--url", server->url()});
    return run("musetalkctl", arguments, settings, folder);
  }
};

TEST_F(Ctl, MakesShowsAndDeletesAnAvatar) {
  start();
  auto made = ctl({"upload", media("carphone.mp4"), "--id", "anna", "--tutor", "7", "--wait"});
  EXPECT_EQ(made.code, 0) << made.output;
  auto lines = lines_of(made.output);
  ASSERT_GE(lines.size(), 2u);
  for (const auto& x : lines)
    EXPECT_TRUE(x.is_object()) << made.output;
  EXPECT_EQ(lines.back()["status"], "completed");
  auto list = lines_of(ctl({"list"}).output);
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0]["avatar_id"], "anna");
  auto shown = lines_of(ctl({"show", "anna"}).output);
  EXPECT_EQ(shown.at(0)["tutor_id"], "7");
  auto jobs = lines_of(ctl({"jobs"}).output);
  EXPECT_EQ(lines_of(ctl({"job", jobs.at(0)["job_id"]}).output).at(0)["status"], "completed");
  EXPECT_EQ(ctl({"delete", "anna"}).code, 0);
  EXPECT_EQ(ctl({"list"}).output, "");
}

TEST_F(Ctl, WatchesAJobToItsEnd) {
  start();
  auto id = body_of(upload("anna", media("carphone.mp4"), ""))["job_id"].get<std::string>();
  auto watched = ctl({"watch", id});
  EXPECT_EQ(watched.code, 0) << watched.output;
  auto lines = lines_of(watched.output);
  ASSERT_GE(lines.size(), 2u) << watched.output;
  EXPECT_EQ(lines.front()["event"], "snapshot");
  EXPECT_EQ(lines.back()["job_id"], id);
  EXPECT_EQ(lines.back()["status"], "completed");
  // One that has ended is shown at once.
  EXPECT_EQ(lines_of(ctl({"watch", id}).output).back()["status"], "completed");
  EXPECT_EQ(ctl({"watch", "no-such-job"}).code, 1);
}

TEST_F(Ctl, GoesBackToAnOlderVersion) {
  start();
  upload("anna", media("one_frame.mp4"));
  upload("anna", media("carphone.mp4"));
  EXPECT_EQ(lines_of(ctl({"versions", "anna"}).output).size(), 2u);
  auto back = ctl({"activate", "anna", "v000001"});
  EXPECT_EQ(back.code, 0) << back.output;
  EXPECT_EQ(lines_of(back.output).at(0)["current_version"], "v000001");
  EXPECT_EQ(ctl({"delete", "anna", "--version", "v000001"}).code, 1);
  EXPECT_EQ(ctl({"delete", "anna", "--version", "v000002"}).code, 0);
  auto job = lines_of(ctl({"jobs"}).output).at(0)["job_id"].get<std::string>();
  EXPECT_EQ(ctl({"retry", job}).code, 1) << "it has completed";
  EXPECT_EQ(lines_of(ctl({"job", job, "--history"}).output).at(0)["events"].size(), 3u);
}

TEST_F(Ctl, CreatesFromARoot) {
  std::filesystem::copy_file(media("one_frame.mp4"), videos / "talk.mp4");
  start();
  auto made = ctl({"create", "--id", "anna", "--path", (videos / "talk.mp4").string(), "--wait"});
  EXPECT_EQ(made.code, 0) << made.output;
  EXPECT_EQ(get("/mgmt/v1/avatars")["avatars"], (json{"anna"}));
}

TEST_F(Ctl, EndsWithTheDocumentedCodes) {
  start();
  EXPECT_EQ(ctl({"show", "nobody"}).code, 1);
  EXPECT_EQ(ctl({"upload", "/nowhere.mp4", "--id", "anna"}).code, 2);
  EXPECT_EQ(ctl({"fly"}).code, 2);
  EXPECT_EQ(ctl({"upload", media("text.mp4"), "--id", "anna", "--wait"}).code, 1);
  EXPECT_EQ(run("musetalkctl", {"--url", "http://127.0.0.1:1", "list"}, settings, folder).code, 3);
  EXPECT_EQ(ctl({"doctor"}).code, 0);
  server->stop();
  EXPECT_EQ(ctl({"doctor"}).code, 5);
}

TEST_F(Ctl, LooksAtTheServiceAndThisMachine) {
  start();
  auto checks = std::vector<std::string>{};
  for (const auto& x : lines_of(ctl({"doctor"}).output))
    checks.push_back(x["check"]);
  for (auto name : {"its queue", "its avatars", "face networks", "ffmpeg", "disk", "GPU",
                    "setting AVATARS_DIR", "avatars on disk"})
    EXPECT_NE(std::find(checks.begin(), checks.end(), name), checks.end()) << name;
}

} // namespace musetalk::tests
