#include "http/ctl/commands.hpp"
#include "http/ctl/doctor.hpp"
#include "http/ctl/multipart_body.hpp"
#include "http/ctl/output.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace musetalk::http::ctl {

namespace {

/// A file that goes with the test.
class temporary_file {
public:
  explicit temporary_file(const std::string& contents) {
    auto name = std::string{"/tmp/ctl_test.XXXXXX"};
    ::close(::mkstemp(name.data()));
    path_ = name;
    std::ofstream{path_, std::ios::binary} << contents;
  }
  ~temporary_file() { std::filesystem::remove(path_); }
  const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

std::string whole(multipart_body& body, size_t piece) {
  auto result = std::string{};
  for (auto more = std::string{}; !(more = body.read(result.size(), piece)).empty();)
    result += more;
  return result;
}

/// Runs `f` on an output of its own; gives what was written to standard output.
template <class F>
std::string written(bool terminal, F&& f) {
  auto out = std::ostringstream{};
  auto errors = std::ostringstream{};
  auto subject = output{out, errors, terminal};
  f(subject);
  return out.str();
}

} // namespace

TEST(MultipartBody, IsTheSameInPiecesOfAnySize) {
  auto file = temporary_file{std::string(1000, 'v')};
  auto body = multipart_body{{file.path(), "anna", "t1", true}};
  auto text = whole(body, 4096);
  EXPECT_EQ(text.size(), body.size());
  EXPECT_EQ(whole(body, 1), text);
  EXPECT_EQ(whole(body, 64), text);
  EXPECT_NE(text.find("name=\"avatar_id\"\r\n\r\nanna\r\n"), std::string::npos);
  EXPECT_NE(text.find("name=\"tutor_id\"\r\n\r\nt1\r\n"), std::string::npos);
  EXPECT_NE(text.find("name=\"apply_blur\"\r\n\r\ntrue\r\n"), std::string::npos);
  EXPECT_NE(text.find("\r\n\r\n" + std::string(1000, 'v') + "\r\n--"), std::string::npos);
}

TEST(MultipartBody, NeedsAFile) {
  EXPECT_THROW((multipart_body{{"/nowhere.mp4", "anna", "", false}}), std::invalid_argument);
  EXPECT_THROW((multipart_body{{"/tmp", "anna", "", false}}), std::invalid_argument);
}

TEST(Api, TakesPlainHttpAddressesOnly) {
  EXPECT_NO_THROW(api{"http://127.0.0.1:9000/"});
  EXPECT_NO_THROW(api{"http://[::1]:9000"});
  for (auto bad : {"", "127.0.0.1:9000", "https://x", "http://", "http://a b", "http://x/y"})
    EXPECT_THROW(api{bad}, std::invalid_argument) << bad;
}

TEST(Api, SaysThatNobodyAnswers) {
  // Port 1 of this machine: nobody listens there.
  auto service = api{"http://127.0.0.1:1"};
  EXPECT_THROW(service.get("/health"), unreachable);
}

TEST(Api, FindsTheServiceOfTheSettings) {
  EXPECT_EQ(url_of({"127.0.0.1", 9000}), "http://127.0.0.1:9000");
  EXPECT_EQ(url_of({"0.0.0.0", 80}), "http://127.0.0.1:80");
  EXPECT_EQ(url_of({"::", 80}), "http://[::1]:80");
}

TEST(Api, EncodesIdsInPaths) {
  EXPECT_EQ(percent_encoded("a_b-1"), "a_b-1");
  EXPECT_EQ(percent_encoded("../x?y"), "..%2Fx%3Fy");
  EXPECT_EQ(percent_encoded("\xC3\xBC"), "%C3%BC");
}

TEST(Output, WritesJsonLinesWhenPiped) {
  auto text = written(false, [](output& x) {
    x.upload(50, 100);
    x.upload(51, 100);
    x.job({{"status", "running"}, {"fraction", .1}, {"eta_s", 9}});
    x.job({{"status", "running"}, {"fraction", .1}, {"eta_s", 8}});
    x.result({{"status", "completed"}}, "never shown");
  });
  EXPECT_EQ(text, "{\"event\":\"upload\",\"sent_bytes\":50,\"total_bytes\":100}\n"
                  "{\"status\":\"running\",\"fraction\":0.1,\"eta_s\":9}\n"
                  "{\"status\":\"completed\"}\n");
}

TEST(Output, DrawsBarsOnATerminal) {
  auto text = written(true, [](output& x) {
    x.job({{"status", "running"}, {"stage", "prepare"}, {"fraction", .5}, {"eta_s", 75}});
    x.result({}, "done");
  });
  EXPECT_NE(text.find("\rprepare   ["), std::string::npos) << text;
  EXPECT_NE(text.find(" 50 %  1 min 15 s left"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("\ndone\n")) << text;
}

TEST(Output, KeepsControlCharactersFromTheTerminal) {
  EXPECT_EQ(printable("a\033[31mb\n"), "a [31mb ");
}

TEST(Output, TellsSizesAndTimesForPeople) {
  EXPECT_EQ(size_text(999), "999 B");
  EXPECT_EQ(size_text(1500), "1.5 kB");
  EXPECT_EQ(size_text(999'999), "1.0 MB");
  EXPECT_EQ(size_text(3'400'000'000), "3.4 GB");
  EXPECT_EQ(duration_text(0.2), "1 s");
  EXPECT_EQ(duration_text(200), "3 min 20 s");
  EXPECT_EQ(duration_text(7260), "2 h 1 min");
  EXPECT_EQ(bar_text(.5, 10), "#####.....");
  EXPECT_EQ(bar_text(7, 4), "####");
}

TEST(Doctor, FindsProgramsWhereItIsTold) {
  EXPECT_EQ(find_program("sh", "/bin"), "/bin/sh");
  EXPECT_EQ(find_program("sh", "/bin/sh"), "/bin/sh");
  EXPECT_EQ(find_program("no-such-program", ""), "");
  EXPECT_EQ(find_program("sh", "/nowhere"), "");
}

TEST(Doctor, SaysWhatIsMissingHere) {
  auto settings = config::load({{},
                                {{"MUSETALK_BASE", "/nowhere", "environment"},
                                 {"MUSETALKD_FACE_MODELS_DIR", "/nowhere", "environment"}},
                                {}});
  auto bad = std::vector<std::string>{};
  for (const auto& x : look_around(settings))
    if (x.how == finding::state::bad) {
      bad.push_back(x.subject);
      EXPECT_FALSE(x.hint.empty()) << x.subject;
    }
  EXPECT_NE(std::find(bad.begin(), bad.end(), "weights sd-vae/config.json"), bad.end());
  EXPECT_NE(std::find(bad.begin(), bad.end(), "face networks"), bad.end());
}

} // namespace musetalk::http::ctl
