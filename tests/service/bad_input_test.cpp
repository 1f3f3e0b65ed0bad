#include "tests/service/service_fixture.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>

// Bad input gets a clear answer, nothing of it stays, and what was there before is untouched.

namespace musetalk::tests {

namespace {

/// A connection for what no client library would send.
class raw_connection {
public:
  explicit raw_connection(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    auto address = sockaddr_in{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~raw_connection() { ::close(fd_); }

  bool connected() const { return connected_; }

  bool send(const std::string& text) {
    return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }

  /// Waits for the next bytes.
  std::string receive() {
    auto buffer = std::string(4096, '\0');
    auto count = ::recv(fd_, buffer.data(), buffer.size(), 0);
    buffer.resize(count > 0 ? static_cast<size_t>(count) : 0);
    return buffer;
  }

private:
  int fd_;
  bool connected_ = false;
};

} // namespace

class BadInput : public MockService {
protected:
  /// With one good avatar that must be the same afterwards.
  void start_with_an_avatar() {
    start();
    ASSERT_EQ(upload("before", media("one_frame.mp4"))->status, 201);
    before_ = avatar_before();
    manifest_ = contents_of(avatars / "before" / "manifest.json");
    checked_ = true;
  }

  void TearDown() override {
    if (!checked_)
      return;
    EXPECT_TRUE(server->process().running());
    EXPECT_EQ(leftovers(), std::vector<std::string>{});
    EXPECT_EQ(avatar_before(), before_);
    EXPECT_EQ(contents_of(avatars / "before" / "manifest.json"), manifest_);
    EXPECT_EQ(client->Get("/readyz")->status, 200);
  }

  /// To look at an avatar is to use it: the time of that is left out.
  json avatar_before() {
    auto result = get("/mgmt/v1/avatars/before");
    result.erase("used_at");
    return result;
  }

  httplib::Result post(const httplib::MultipartFormDataItems& items) {
    return client->Post("/mgmt/v1/avatars/upload?wait=300", items);
  }

  httplib::MultipartFormDataItems good() { return form("anna", media("one_frame.mp4")); }

private:
  json before_;
  std::string manifest_;
  bool checked_ = false;
};

TEST_F(BadInput, MissingFields) {
  start_with_an_avatar();
  auto x = good();
  EXPECT_TRUE(is_problem(post({x[0]}), 400, "request.field_missing"));
  EXPECT_TRUE(is_problem(post({x[1]}), 400, "request.field_missing"));
}

TEST_F(BadInput, UnknownFields) {
  start_with_an_avatar();
  auto x = good();
  x.insert(x.begin() + 1, {"colour", "red", "", ""});
  EXPECT_TRUE(is_problem(post(x), 400, "request.field_unknown"));
  EXPECT_TRUE(is_problem(client->Post("/mgmt/v1/avatars/upload?colour=red", good()), 400,
                         "request.field_unknown"));
}

TEST_F(BadInput, RepeatedFields) {
  start_with_an_avatar();
  auto x = good();
  EXPECT_TRUE(is_problem(post({x[0], x[0], x[1]}), 400, "request.field_duplicate"));
  EXPECT_TRUE(is_problem(post({x[0], x[1], x[1]}), 400, "request.field_duplicate"));
}

TEST_F(BadInput, BadIds) {
  start_with_an_avatar();
  for (const auto& id :
       {std::string{"../x"}, std::string{}, std::string(200, 'a'), std::string{"\xC3\xBC"},
        std::string{".store"}, std::string{"a/b"}, std::string{"-a"}, std::string{"a b"}}) {
    EXPECT_TRUE(is_problem(upload(id, media("one_frame.mp4")), 400, "avatar.id_invalid")) << id;
    EXPECT_TRUE(
        is_problem(create({{"avatar_id", id}, {"video_path", "x.mp4"}}), 400, "avatar.id_invalid"))
        << id;
  }
  for (auto path :
       {"/mgmt/v1/avatars/..%2Fx", "/mgmt/v1/avatars/.store", "/mgmt/v1/avatars/%C3%BC"}) {
    auto answer = client->Get(path);
    ASSERT_TRUE(answer);
    EXPECT_GE(answer->status, 400) << path;
    EXPECT_LT(answer->status, 500) << path;
  }
}

TEST_F(BadInput, BadValues) {
  start_with_an_avatar();
  auto x = good();
  x.push_back({"apply_blur", "maybe", "", ""});
  EXPECT_TRUE(is_problem(post(x), 400, "request.field_invalid"));
  x.back() = {"tutor_id", std::string(129, 't'), "", ""};
  EXPECT_TRUE(is_problem(post(x), 400, "request.field_invalid"));
  for (auto query : {"?limit=0", "?limit=x", "?detail=maybe", "?status=odd"})
    EXPECT_TRUE(is_problem(client->Get(std::string{"/mgmt/v1/avatars"} + query), 400,
                           "request.field_invalid"))
        << query;
  EXPECT_TRUE(is_problem(upload("anna", media("one_frame.mp4"), "?wait=forever"), 400,
                         "request.field_invalid"));
}

TEST_F(BadInput, WrongJson) {
  start_with_an_avatar();
  auto send = [&](const std::string& body) {
    return client->Post("/mgmt/v1/avatars/create", body, "application/json");
  };
  EXPECT_TRUE(is_problem(send("{"), 400, "request.malformed"));
  EXPECT_TRUE(is_problem(send("[]"), 400, "request.malformed"));
  EXPECT_TRUE(is_problem(send(std::string(30'000, '[')), 400, "request.malformed"));
  EXPECT_TRUE(is_problem(send(R"({"avatar_id":"a"})"), 400, "request.field_missing"));
  EXPECT_TRUE(
      is_problem(send(R"({"avatar_id":1,"video_path":"x"})"), 400, "request.field_invalid"));
  EXPECT_TRUE(is_problem(send(R"({"avatar_id":"a","video_path":"x","apply_blur":"yes"})"), 400,
                         "request.field_invalid"));
  EXPECT_TRUE(is_problem(send(R"({"avatar_id":"a","video_path":"x","size":1})"), 400,
                         "request.field_unknown"));
  EXPECT_TRUE(is_problem(send(R"({"avatar_id":"a","avatar_id":"b","video_path":"x"})"), 400,
                         "request.field_duplicate"));
  EXPECT_TRUE(is_problem(send(R"({"avatar_id":")" + std::string(100'000, 'a') + R"("})"), 413,
                         "request.too_large"));
  EXPECT_TRUE(is_problem(client->Post("/mgmt/v1/avatars/create", "{}", "text/plain"), 415,
                         "request.media_type"));
}

TEST_F(BadInput, PathsOutsideTheRoots) {
  std::filesystem::create_symlink("/etc/hostname", videos / "link.mp4");
  std::filesystem::create_directory_symlink("/etc", videos / "etc");
  std::filesystem::create_directories(folder / "private");
  std::filesystem::copy_file(media("one_frame.mp4"), folder / "private" / "x.mp4");
  start_with_an_avatar();
  for (const auto& path : {std::string{"/etc/passwd"}, (videos / "../private/x.mp4").string(),
                           (folder / "private" / "x.mp4").string(), (videos / "link.mp4").string(),
                           (videos / "etc" / "passwd").string()})
    EXPECT_TRUE(
        is_problem(create({{"avatar_id", "a"}, {"video_path", path}}), 403, "video.path_forbidden"))
        << path;
  EXPECT_TRUE(is_problem(create({{"avatar_id", "a"}, {"video_path", (videos / "none").string()}}),
                         422, "video.path_not_found"));
  EXPECT_TRUE(is_problem(create({{"avatar_id", "a"}, {"video_path", videos.string()}}), 422,
                         "video.path_not_found"));
}

TEST_F(BadInput, FilesThatAreNoVideo) {
  start_with_an_avatar();
  EXPECT_TRUE(is_problem(upload("a", media("empty.mp4")), 422, "video.empty"));
  EXPECT_TRUE(is_problem(upload("a", media("text.mp4")), 422, "video.unreadable"));
  EXPECT_TRUE(is_problem(upload("a", media("playlist.mp4")), 422, "video.unreadable"));
  EXPECT_TRUE(is_problem(upload("a", media("concat.mp4")), 422, "video.unreadable"));
  EXPECT_TRUE(is_problem(upload("a", media("sound_only.m4a")), 422, "video.no_track"));
  EXPECT_EQ(get("/mgmt/v1/avatars")["total"], 1);
}

TEST_F(BadInput, VideosBeyondTheLimits) {
  start_with_an_avatar();
  auto too_long = upload("a", media("ten_minutes.mp4"));
  EXPECT_TRUE(is_problem(too_long, 422, "video.too_long"));
  auto detail = body_of(too_long)["detail"].get<std::string>();
  EXPECT_NE(detail.find("600"), std::string::npos) << detail;
  EXPECT_NE(detail.find("30"), std::string::npos) << detail;
  EXPECT_TRUE(is_problem(upload("a", media("one_pixel.mkv")), 422, "video.too_small"));
  for (auto bomb : {"time_bomb.mp4", "time_bomb.mkv", "aspect_bomb.mp4"}) {
    auto answer = upload("a", media(bomb));
    ASSERT_TRUE(answer) << bomb;
    EXPECT_EQ(answer->status, 422) << bomb << answer->body;
  }
}

TEST_F(BadInput, UploadsBeyondTheLimit) {
  settings["MUSETALKD_MAX_UPLOAD_MB"] = "1";
  start_with_an_avatar();
  auto large = folder / "large.mp4";
  std::ofstream{large} << std::string(1'500'000, 'x');
  EXPECT_TRUE(is_problem(upload("a", large), 413, "request.too_large"));
  // Little enough for the route, yet too much for the file.
  std::ofstream{large} << std::string(1'000'001, 'x');
  EXPECT_TRUE(is_problem(upload("a", large), 413, "request.too_large"));
}

TEST_F(BadInput, UnknownThings) {
  start_with_an_avatar();
  EXPECT_TRUE(is_problem(client->Get("/mgmt/v1/avatars/nobody"), 404, "avatar.not_found"));
  EXPECT_TRUE(is_problem(client->Delete("/mgmt/v1/avatars/nobody"), 404, "avatar.not_found"));
  EXPECT_TRUE(is_problem(client->Get("/mgmt/v1/jobs/nothing"), 404, "job.not_found"));
  EXPECT_TRUE(is_problem(client->Post("/mgmt/v1/jobs/nothing/cancel"), 404, "job.not_found"));
  EXPECT_TRUE(is_problem(client->Get("/mgmt/v2/avatars"), 404, "route.not_found"));
  auto wrong = client->Put("/mgmt/v1/avatars", "", "text/plain");
  EXPECT_TRUE(is_problem(wrong, 405, "route.method"));
  EXPECT_NE(wrong->get_header_value("Allow").find("GET"), std::string::npos);
}

TEST_F(BadInput, JobsThatHaveEnded) {
  start_with_an_avatar();
  auto id = get("/mgmt/v1/jobs")["jobs"][0]["job_id"].get<std::string>();
  EXPECT_TRUE(is_problem(client->Post("/mgmt/v1/jobs/" + id + "/cancel"), 409, "job.finished"));
}

TEST_F(BadInput, ClientsThatGoInTheMiddle) {
  start_with_an_avatar();
  {
    auto connection = raw_connection{server->port()};
    ASSERT_TRUE(connection.connected());
    ASSERT_TRUE(connection.send("POST /mgmt/v1/avatars/upload HTTP/1.1\r\nHost: x\r\n"
                                "Content-Type: multipart/form-data; boundary=B\r\n"
                                "Content-Length: 100000\r\nExpect: 100-continue\r\n\r\n"));
    EXPECT_TRUE(connection.receive().starts_with("HTTP/1.1 100"));
    ASSERT_TRUE(connection.send(
        "--B\r\nContent-Disposition: form-data; name=\"video_file\"; filename=\"v.mp4\"\r\n\r\n" +
        std::string(50'000, 'x')));
    // It has arrived: the folder is there.
    while (names_in(avatars / ".uploads").empty())
      ASSERT_TRUE(client->Get("/livez"));
  }
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
}

} // namespace musetalk::tests
