#include <fstream>
#include <sys/stat.h>

#include "tests/http/gate_fixture.hpp"

namespace musetalk::http::test {
namespace {

class GateFile : public gate_test {
protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("gate_file_" + std::to_string(::getpid()) + "_" +
               testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
    file_ = folder_ / "digits.bin";
    std::ofstream{file_} << "0123456789";
    start();
  }
  void TearDown() override {
    gate_test::TearDown();
    std::filesystem::remove_all(folder_);
  }

  raw_answer get(std::string_view fields = {}) {
    auto c = client();
    c.send("GET /file HTTP/1.1\r\nHost: a\r\n" + std::string{fields} + "\r\n");
    return c.read_answer();
  }

  std::filesystem::path folder_;
};

TEST_F(GateFile, IsSentWhole) {
  auto answer = get();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "0123456789");
  EXPECT_EQ(answer.field("Accept-Ranges"), "bytes");
  EXPECT_FALSE(answer.field("ETag").empty());
  EXPECT_EQ(answer.field("Last-Modified").size(), 29u);
}

TEST_F(GateFile, IsSentInRanges) {
  auto part = get("Range: bytes=2-4\r\n");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "234");
  EXPECT_EQ(part.field("Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(get("Range: bytes=-2\r\n").body, "89");
  auto none = get("Range: bytes=10-\r\n");
  EXPECT_EQ(none.status, 416);
  EXPECT_EQ(none.field("Content-Range"), "bytes */10");
}

TEST_F(GateFile, IsMeasuredForHead) {
  auto c = client();
  c.send("HEAD /file HTTP/1.1\r\nHost: a\r\n\r\n");
  auto answer = c.read_answer(true);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.field("Content-Length"), "10");
  EXPECT_EQ(c.get("/hello").body, "hi");
}

TEST_F(GateFile, IsNotSentAgainUnchanged) {
  auto tag = get().field("ETag");
  auto same = get("If-None-Match: \"x\", W/" + tag + "\r\n");
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.field("ETag"), tag);
  EXPECT_EQ(get("If-None-Match: \"x\"\r\n").status, 200);
  EXPECT_EQ(get("If-Modified-Since: " + get().field("Last-Modified") + "\r\n").status, 304);
  std::ofstream{file_} << "other bytes";
  EXPECT_EQ(get("If-None-Match: " + tag + "\r\n").body, "other bytes");
}

TEST_F(GateFile, IsSentWholeWhenARangeIsOfAnOlderOne) {
  auto tag = get().field("ETag");
  EXPECT_EQ(get("Range: bytes=0-1\r\nIf-Range: " + tag + "\r\n").status, 206);
  EXPECT_EQ(get("Range: bytes=0-1\r\nIf-Range: \"x\"\r\n").status, 200);
}

TEST_F(GateFile, MayBeEmpty) {
  std::ofstream{file_, std::ios::trunc};
  auto answer = get();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "");
}

TEST_F(GateFile, MayBeLarge) {
  std::string bytes(20 << 20, '\0');
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(i * 2654435761u >> 24);
  std::ofstream{file_, std::ios::binary} << bytes;
  EXPECT_TRUE(get().body == bytes);
  EXPECT_TRUE(get("Range: bytes=1000000-19000000\r\n").body == bytes.substr(1000000, 18000001));
}

TEST_F(GateFile, IsAnErrorWhenItIsNoFile) {
  for (auto path : {folder_ / "absent", folder_}) {
    file_ = path;
    auto answer = get();
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(answer.body.find(folder_.string()), std::string::npos) << answer.body;
  }
  file_ = folder_ / "link";
  std::filesystem::create_symlink("digits.bin", file_);
  EXPECT_EQ(get().status, 500);
  file_ = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(file_.c_str(), 0600), 0);
  EXPECT_EQ(get().status, 500);
}

TEST_F(GateFile, IsClosedWhenReadersAbort) {
  std::filesystem::resize_file(file_, 64 << 20);
  ASSERT_EQ(client().get("/hello").status, 200);
  await_connections(0);
  auto files = open_files();
  for (auto i = 0; i < 30; ++i) {
    auto c = client(4096);
    c.send("GET /file HTTP/1.1\r\nHost: a\r\n\r\n");
    c.read_until("\r\n\r\n");
    c.abort();
  }
  await_connections(0);
  EXPECT_EQ(open_files(), files);
}

TEST_F(GateFile, CutsTheConnectionWhenItShrinks) {
  std::filesystem::resize_file(file_, 64 << 20);
  auto c = client(4096);
  c.send("GET /file HTTP/1.1\r\nHost: a\r\n\r\n");
  c.read_until("\r\n\r\n");
  std::filesystem::resize_file(file_, 10);
  EXPECT_LT(c.read_to_end().size(), size_t{64} << 20);
}

} // namespace
} // namespace musetalk::http::test
