#include "http/ctl/commands.hpp"
#include "http/ctl/doctor.hpp"
#include "http/ctl/event_reader.hpp"
#include "http/ctl/multipart_body.hpp"
#include "http/ctl/output.hpp"
#include "tests/pipeline/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
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

/// A folder of weights, and what `doctor` says of each.
class DoctorOfWeights : public ::testing::Test {
protected:
  static constexpr auto vae = "sd-vae/diffusion_pytorch_model.bin";
  static constexpr auto vae_config = "sd-vae/config.json";

  DoctorOfWeights() { how.hash_memory = base / "cache" / "hashes.json"; }

  void put(const std::string& file, const std::string& contents) {
    auto path = base / "models" / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream{path, std::ios::binary} << contents;
  }

  void put_golden(const std::string& file, const std::string& golden) {
    auto in = std::ifstream{MUSETALK_SOURCE_DIR "/tests/golden/" + golden, std::ios::binary};
    put(file, {std::istreambuf_iterator<char>{in}, {}});
  }

  finding look(const std::string& file) {
    auto settings = config::load({{}, {{"MUSETALK_BASE", base.string(), "environment"}}, {}});
    for (auto& x : look_around(settings, how))
      if (x.subject == "weights " + file)
        return x;
    return {"none"};
  }

  test::temporary_folder folder;
  std::filesystem::path base = folder.path();
  look_options how;
};

/// Byte for byte as it is published with the VAE.
constexpr auto published_vae_config = R"({
  "_class_name": "AutoencoderKL",
  "_diffusers_version": "0.4.2",
  "act_fn": "silu",
  "block_out_channels": [
    128,
    256,
    512,
    512
  ],
  "down_block_types": [
    "DownEncoderBlock2D",
    "DownEncoderBlock2D",
    "DownEncoderBlock2D",
    "DownEncoderBlock2D"
  ],
  "in_channels": 3,
  "latent_channels": 4,
  "layers_per_block": 2,
  "norm_num_groups": 32,
  "out_channels": 3,
  "sample_size": 256,
  "up_block_types": [
    "UpDecoderBlock2D",
    "UpDecoderBlock2D",
    "UpDecoderBlock2D",
    "UpDecoderBlock2D"
  ]
}
)";

} // namespace

TEST(MultipartBody, IsTheSameInPiecesOfAnySize) {
  auto file = temporary_file{std::string(1000, 'v')};
  auto body = multipart_body{form_of({file.path(), "anna", "t1", true})};
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
  EXPECT_THROW(multipart_body{form_of({"/nowhere.mp4", "anna", "", false})}, std::invalid_argument);
  EXPECT_THROW(multipart_body{form_of({"/tmp", "anna", "", false})}, std::invalid_argument);
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

TEST(EventReader, ReadsEventsThatComeInPiecesOfAnySize) {
  auto text = std::string{"retry: 2000\n\n:\n\nevent: state\r\nid: 41\r\ndata: {\"a\":1}\r\n\r\n"
                          "event: progress\ndata: one\ndata:two\nfuture: x\n\ndata: cut"};
  for (auto piece : {size_t{1}, size_t{3}, text.size()}) {
    auto seen = std::vector<server_event>{};
    auto reader = event_reader{[&](const server_event& x) {
      seen.push_back(x);
    }};
    for (auto at = size_t{0}; at < text.size(); at += piece)
      EXPECT_TRUE(reader.push(std::string_view{text}.substr(at, piece)));
    ASSERT_EQ(seen.size(), 2u);
    EXPECT_EQ(seen[0].type, "state");
    EXPECT_EQ(seen[0].id, "41");
    EXPECT_EQ(seen[0].data, "{\"a\":1}");
    EXPECT_EQ(seen[1].type, "progress");
    EXPECT_EQ(seen[1].id, "");
    EXPECT_EQ(seen[1].data, "one\ntwo");
    EXPECT_EQ(reader.last_id(), "41");
    // What a broken connection left does not run into what comes next.
    reader.restart();
    reader.push("data: whole\n\n");
    EXPECT_EQ(seen.back().data, "whole");
    EXPECT_EQ(reader.last_id(), "41");
  }
}

TEST(EventReader, TakesNoEventWithoutBounds) {
  auto reader = event_reader{[](const server_event&) {
  }};
  auto line = "data: " + std::string(1000, 'x') + "\n";
  auto taken = 0;
  while (taken < 10'000 && reader.push(line))
    ++taken;
  EXPECT_GT(taken, 900);
  EXPECT_LT(taken, 1100);
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

TEST(Output, TakesTheBarOfAReadFileAway) {
  auto text = written(true, [](output& x) {
    x.hashing("unet.pth", 1, 4);
    x.hashing("unet.pth", 4, 4);
    x.result({}, "done");
  });
  EXPECT_NE(text.find("\rsha256    ["), std::string::npos) << text;
  EXPECT_NE(text.find(" 25 %  unet.pth"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("\r\033[Kdone\n")) << text;
  EXPECT_EQ(written(false, [](output& x) { x.hashing("unet.pth", 1, 4); }), "");
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

TEST_F(DoctorOfWeights, TellsMissingTruncatedAndWrongFilesApart) {
  put_golden(vae, "vae/two_level/diffusion_pytorch_model.bin");
  auto half = std::filesystem::file_size(base / "models" / vae) / 2;
  std::filesystem::resize_file(base / "models" / vae, half);
  put_golden("dwpose/dw-ll_ucoco_384.pth", "containers/zip_state_dict.pth");
  auto missing = look(vae_config);
  EXPECT_EQ(missing.how, finding::state::bad);
  EXPECT_TRUE(missing.value.starts_with("missing (")) << missing.value;
  EXPECT_NE(missing.hint.find("stabilityai/sd-vae-ft-mse"), std::string::npos) << missing.hint;
  auto truncated = look(vae);
  EXPECT_EQ(truncated.how, finding::state::bad);
  EXPECT_TRUE(truncated.value.starts_with("truncated, ")) << truncated.value;
  EXPECT_NE(truncated.hint.find("after " + std::to_string(half) + " bytes"), std::string::npos);
  auto wrong = look("dwpose/dw-ll_ucoco_384.pth");
  EXPECT_EQ(wrong.how, finding::state::note); // mediapipe does without
  EXPECT_TRUE(wrong.value.starts_with("wrong file, ")) << wrong.value;
}

TEST_F(DoctorOfWeights, NeedsNoneWhenTheServiceRunsSynthetic) {
  EXPECT_EQ(look(vae).how, finding::state::bad);
  how.service_weights = "synthetic";
  EXPECT_EQ(look(vae).how, finding::state::note);
  EXPECT_TRUE(look(vae).value.ends_with("; not needed: synthetic")) << look(vae).value;
}

TEST_F(DoctorOfWeights, ComparesSumsWithThePublishedOnes) {
  put(vae_config, published_vae_config);
  EXPECT_EQ(look(vae_config).sha256, "");
  how.hash = true;
  auto published = look(vae_config);
  EXPECT_EQ(published.how, finding::state::good);
  EXPECT_EQ(published.sha256, "92d3dfb746fca211a2c9e019e285f8597412211728dce3c5bcf4eda0f2d62e7e");
  EXPECT_TRUE(published.value.ends_with("; the published file")) << published.value;
  auto other = std::string{published_vae_config};
  other.replace(other.find("silu"), 4, "relu");
  put(vae_config, other);
  auto changed = look(vae_config);
  EXPECT_EQ(changed.how, finding::state::note);
  EXPECT_NE(changed.sha256, published.sha256);
  EXPECT_NE(changed.value.find("NOT the published file"), std::string::npos) << changed.value;
}

TEST_F(DoctorOfWeights, ShowsSumsWithoutAVerdictWhereNoneIsPublished) {
  put_golden(vae_config, "vae/two_level/config.json");
  how.hash = true;
  auto x = look(vae_config);
  EXPECT_EQ(x.sha256.size(), 64u);
  EXPECT_EQ(x.value.find("published file"), std::string::npos) << x.value;
}

TEST_F(DoctorOfWeights, ReadsEachFileOnce) {
  put(vae_config, published_vae_config);
  how.hash = true;
  auto reads = std::vector<std::string>{};
  how.progress = [&](const std::string& file, uint64_t done, uint64_t total) {
    reads.push_back(file);
    EXPECT_EQ(done, total);
  };
  auto first = look(vae_config);
  EXPECT_EQ(look(vae_config).sha256, first.sha256);
  EXPECT_EQ(reads, std::vector<std::string>{"config.json"});
}

} // namespace musetalk::http::ctl
