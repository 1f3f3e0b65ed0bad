#include "tests/service/service_fixture.hpp"

#include "tests/service/api_contract.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace musetalk::tests {

namespace {

constexpr auto patience = std::chrono::seconds{120};

bool is_final(const json& job) {
  auto status = job.value("status", "");
  return status == "completed" || status == "failed" || status == "cancelled";
}

} // namespace

Service::Service() {
  auto name = std::string{"/tmp/musetalkd_service.XXXXXX"};
  folder = ::mkdtemp(name.data());
  avatars = folder / "avatars";
  videos = folder / "videos";
  std::filesystem::create_directories(videos);
  settings = {{"AVATARS_DIR", avatars.string()},
              {"MUSETALK_BASE", (folder / "MuseTalk").string()},
              {"MUSETALKD_VIDEO_ROOTS", videos.string()},
              {"MUSETALKD_FACE_MODELS_DIR", MUSETALK_SOURCE_DIR "/.deps/models/face"},
              {"MUSETALKD_KEEP_FAILED_SECONDS", "0"},
              {"MUSETALKD_REMOVAL_GRACE_SECONDS", "0"},
              {"MUSETALKD_WEIGHTS", "synthetic"},
              {"OMP_WAIT_POLICY", "PASSIVE"}};
}

Service::~Service() {
  client.reset();
  server.reset();
  std::filesystem::remove_all(folder);
}

void Service::start() {
  client.reset();
  server.reset();
  server = std::make_unique<server_process>(settings, folder, server_name);
  client = std::make_unique<httplib::Client>("127.0.0.1", server->port());
  client->set_read_timeout(400);
  client->set_keep_alive(true);
  auto contract = std::make_shared<api_contract>(get("/openapi.json"));
  client->set_logger([contract](const httplib::Request& in, const httplib::Response& out) {
    for (const auto& fault : contract->faults_of(in, out))
      ADD_FAILURE() << in.method << " " << in.path << ": " << fault;
  });
}

std::vector<std::string> Service::names_in(const std::filesystem::path& x) {
  auto result = std::vector<std::string>{};
  auto fault = std::error_code{};
  for (const auto& entry : std::filesystem::directory_iterator{x, fault})
    result.push_back(entry.path().filename());
  std::sort(result.begin(), result.end());
  return result;
}

std::vector<std::string> Service::leftovers() {
  auto deadline = std::chrono::steady_clock::now() + patience;
  auto left = std::vector<std::string>{};
  do {
    left.clear();
    for (auto folder : {".uploads", ".staging", ".trash"})
      std::ranges::copy(names_in(avatars / folder), std::back_inserter(left));
  } while (!left.empty() && std::chrono::steady_clock::now() < deadline && client->Get("/livez"));
  return left;
}

httplib::MultipartFormDataItems Service::form(const std::string& id,
                                              const std::filesystem::path& video) {
  return {{"avatar_id", id, "", ""},
          {"video_file", contents_of(video), video.filename().string(), "video/mp4"}};
}

httplib::Result Service::upload(const std::string& id, const std::filesystem::path& video,
                                const std::string& query) {
  return client->Post("/mgmt/v1/avatars/upload" + query, form(id, video));
}

httplib::Result Service::create(const json& body, const std::string& query) {
  return client->Post("/mgmt/v1/avatars/create" + query, body.dump(), "application/json");
}

json Service::get(const std::string& path) {
  return body_of(client->Get(path));
}

json Service::final_job(const std::string& id) {
  auto deadline = std::chrono::steady_clock::now() + patience;
  auto job = json{};
  do
    job = get("/mgmt/v1/jobs/" + id);
  while (!is_final(job) && std::chrono::steady_clock::now() < deadline);
  return job;
}

MockService::MockService() {
  settings["ENABLE_AVATAR"] = "false";
}

json body_of(const httplib::Result& x) {
  return x ? json::parse(x->body, nullptr, false) : json{};
}

::testing::AssertionResult is_problem(const httplib::Result& x, int status,
                                      const std::string& code) {
  if (!x)
    return ::testing::AssertionFailure() << "no answer: " << httplib::to_string(x.error());
  auto body = body_of(x);
  auto whole = body.is_object();
  for (auto name : {"type", "title", "status", "detail", "code", "hint", "request_id"})
    whole = whole && body.contains(name);
  if (x->status == status && whole && body["code"] == code && body["status"] == status &&
      x->get_header_value("Content-Type") == "application/problem+json")
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << x->status << " " << x->body;
}

std::filesystem::path media(const std::string& name) {
  return std::filesystem::path{MUSETALK_BINARY_DIR} / "tests" / "media" / name;
}

std::filesystem::path short_clip() {
  return std::filesystem::path{MUSETALK_BINARY_DIR} / "tests" / "service" / "short.mp4";
}

std::string contents_of(const std::filesystem::path& x) {
  auto in = std::ifstream{x, std::ios::binary};
  auto text = std::ostringstream{};
  text << in.rdbuf();
  return text.str();
}

} // namespace musetalk::tests
