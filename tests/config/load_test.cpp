#include "config/load.hpp"

#include "errors/error.hpp"

#include <gtest/gtest.h>

namespace musetalk::config {

namespace {

std::vector<assignment> given(const std::string& key, const std::string& value,
                              const std::string& where = "environment") {
  return {{key, value, where}};
}

/// The refusal of one value in the environment.
std::string refusal_of(const std::string& key, const std::string& value) {
  try {
    load({{}, given(key, value), {}});
  } catch (const error& e) {
    EXPECT_EQ(e.code(), errc::settings_invalid);
    return e.detail();
  }
  return "(accepted)";
}

settings with(const std::string& key, const std::string& value) {
  return load({{}, given(key, value), {}}).values;
}

const resolved_setting& row_of(const loaded_settings& x, std::string_view key) {
  for (const auto& row : x.rows)
    if (row.row->key == key)
      return row;
  throw std::out_of_range{std::string{key}};
}

} // namespace

TEST(Load, RunsOutOfTheBox) {
  auto x = load({}).values;
  EXPECT_TRUE(x.enable_avatar);
  EXPECT_EQ(x.listen, (endpoint{"127.0.0.1", 9000}));
  EXPECT_EQ(x.max_video_seconds, 30.);
  EXPECT_EQ(x.batch_frames, 8);
  EXPECT_EQ(x.credit_batches, 3);
  EXPECT_EQ(x.video_kbps, 3000);
  EXPECT_EQ(x.video_roots, (std::vector<std::filesystem::path>{"data/videos"}));
  EXPECT_EQ(x.models_dir(), "data/MuseTalk/models");
  EXPECT_FALSE(x.synthetic());
}

TEST(Load, LetsLaterLayersWin) {
  auto file = given("MUSETALKD_QUEUE_LIMIT", "2", ".env:1");
  auto environment = given("MUSETALKD_QUEUE_LIMIT", "3");
  auto flags = given("MUSETALKD_QUEUE_LIMIT", "4", "--queue-limit");
  EXPECT_EQ(load({}).values.queue_limit, 16);
  EXPECT_EQ(load({file, {}, {}}).values.queue_limit, 2);
  EXPECT_EQ(load({file, environment, {}}).values.queue_limit, 3);
  EXPECT_EQ(load({file, environment, flags}).values.queue_limit, 4);
}

TEST(Load, KeepsWhereAValueCameFrom) {
  auto x = load({given("AVATARS_DIR", "/a", ".env:7"), given("FFMPEG_PATH", "/f"), {}});
  EXPECT_EQ(row_of(x, "AVATARS_DIR").from, origin::env_file);
  EXPECT_EQ(row_of(x, "AVATARS_DIR").where, ".env:7");
  EXPECT_EQ(row_of(x, "FFMPEG_PATH").from, origin::environment);
  EXPECT_EQ(row_of(x, "MUSETALK_BASE").from, origin::fallback);
}

TEST(Load, CountsAnEmptyValueAsNotGiven) {
  auto x =
      load({given("MUSETALKD_QUEUE_LIMIT", "2", ".env:1"), given("MUSETALKD_QUEUE_LIMIT", ""), {}});
  EXPECT_EQ(x.values.queue_limit, 2);
}

TEST(Load, NamesTheNearestKeyOfAnUnknownOne) {
  EXPECT_EQ(refusal_of("MUSETALKD_QUEU_LIMIT", "3"),
            "MUSETALKD_QUEU_LIMIT (environment): unknown setting. Did you mean "
            "MUSETALKD_QUEUE_LIMIT?");
  EXPECT_EQ(refusal_of("MUSETALKD_ZZZZZZZZZZZZZZZZZZZZZZZZZ", "3"),
            "MUSETALKD_ZZZZZZZZZZZZZZZZZZZZZZZZZ (environment): unknown setting.");
}

TEST(Load, IgnoresOthersKeysButWarnsOfSlips) {
  EXPECT_TRUE(load({{}, given("PATH", "/bin"), {}}).warnings.empty());
  EXPECT_TRUE(load({given("OPENAI_KEY", "x", ".env:1"), {}, {}}).warnings.empty());
  auto warned = load({given("ENABLE_AVATER", "false", ".env:1"), {}, {}});
  ASSERT_EQ(warned.warnings.size(), 1u);
  EXPECT_EQ(warned.warnings[0],
            "ENABLE_AVATER (.env:1): unknown setting, ignored. Did you mean ENABLE_AVATAR?");
}

TEST(Load, NamesKeyValueRuleAndOriginOfABadValue) {
  EXPECT_EQ(refusal_of("MUSETALKD_QUEUE_LIMIT", "0"),
            "MUSETALKD_QUEUE_LIMIT=0 (environment): must be a whole number from 1 to 10000.");
  EXPECT_EQ(refusal_of("ENABLE_AVATAR", "maybe"),
            "ENABLE_AVATAR=maybe (environment): must be true or false.");
}

TEST(Load, TellsEveryFaultAtOnce) {
  try {
    load({{{"ENABLE_AVATAR", "2", ".env:1"}, {"MUSETALKD_LOG_LEVEL", "loud", ".env:2"}}, {}, {}});
    FAIL() << "accepted";
  } catch (const error& e) {
    EXPECT_NE(e.detail().find("ENABLE_AVATAR=2 (.env:1)"), std::string::npos);
    EXPECT_NE(e.detail().find("MUSETALKD_LOG_LEVEL=loud (.env:2)"), std::string::npos);
  }
}

TEST(Load, RefusesNumbersThatAreNone) {
  for (auto bad : {"-1", "1e3", "0x10", "3 ", " 3", "3.5", "99999999999999999999", "three"})
    EXPECT_NE(refusal_of("MUSETALKD_QUEUE_LIMIT", bad), "(accepted)") << bad;
  for (auto bad : {"nan", "inf", "-1", "0", "1e9", "thirty"})
    EXPECT_NE(refusal_of("MUSETALKD_MAX_VIDEO_SECONDS", bad), "(accepted)") << bad;
  EXPECT_EQ(with("MUSETALKD_MAX_VIDEO_SECONDS", "12.5").max_video_seconds, 12.5);
}

TEST(Load, TakesTheUsualFormsOfYesAndNo) {
  for (auto yes : {"true", "TRUE", "1", "yes", "on"})
    EXPECT_TRUE(with("ENABLE_AVATAR", yes).enable_avatar) << yes;
  for (auto no : {"false", "False", "0", "no", "off"})
    EXPECT_FALSE(with("ENABLE_AVATAR", no).enable_avatar) << no;
}

TEST(Load, SaysWhatIsNotBuiltIn) {
  EXPECT_EQ(refusal_of("MUSETALKD_ENGINE", "upstream"),
            "MUSETALKD_ENGINE=upstream (environment): is not built into this version; must be one "
            "of: native.");
  EXPECT_NE(refusal_of("MUSETALKD_ENGINE", "other").find("must be one of: native"),
            std::string::npos);
}

TEST(Load, ReadsWhoFindsTheFaceAndWhatIsBlended) {
  EXPECT_EQ(with("MUSETALKD_FACE_BACKEND", "DWPose").face_backend, "dwpose");
  EXPECT_EQ(with("MUSETALKD_PARSING_MODE", "neck").parsing_mode, "neck");
  EXPECT_NE(refusal_of("MUSETALKD_FACE_BACKEND", "dlib").find("auto, dwpose, mediapipe"),
            std::string::npos);
  EXPECT_NE(refusal_of("MUSETALKD_PARSING_MODE", "chin").find("jaw, neck, raw"), std::string::npos);
}

TEST(Load, ReadsDevices) {
  EXPECT_EQ(with("MUSETALKD_DEVICE", "CUDA:1").device, "cuda:1");
  for (auto bad : {"cuda", "cuda:", "cuda:-1", "cuda:64", "gpu"})
    EXPECT_NE(refusal_of("MUSETALKD_DEVICE", bad), "(accepted)") << bad;
}

TEST(Load, SplitsVideoRoots) {
  EXPECT_EQ(with("MUSETALKD_VIDEO_ROOTS", "/a:/b c::rel").video_roots,
            (std::vector<std::filesystem::path>{"/a", "/b c", "rel"}));
}

TEST(Load, ReadsOrigins) {
  using list = std::vector<std::string>;
  EXPECT_EQ(
      with("MUSETALKD_ALLOWED_ORIGINS", "https://Desk.example:8443, http://[::1]").allowed_origins,
      (list{"https://desk.example:8443", "http://[::1]"}));
  EXPECT_EQ(with("MUSETALKD_ALLOWED_ORIGINS", "*").allowed_origins, list{"*"});
  EXPECT_TRUE(load({}).values.allowed_origins.empty());
  for (auto bad : {"desk.example", "https://", "ftp://desk", "https://desk/", ", ", "null", "**"})
    EXPECT_NE(refusal_of("MUSETALKD_ALLOWED_ORIGINS", bad), "(accepted)") << bad;
}

TEST(Load, ReadsAddresses) {
  EXPECT_EQ(with("MUSETALKD_LISTEN", "localhost:0").listen, (endpoint{"127.0.0.1", 0}));
  EXPECT_EQ(with("MUSETALKD_LISTEN", "[::1]:80").listen, (endpoint{"::1", 80}));
  EXPECT_EQ(with("MUSETALKD_LISTEN", "[::1]:80").listen.text(), "[::1]:80");
  for (auto bad : {"9000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:80", "host:80",
                   "[127.0.0.1:80", ":9000", "127.0.0.1:90 "})
    EXPECT_NE(refusal_of("MUSETALKD_LISTEN", bad), "(accepted)") << bad;
}

TEST(Load, BindsOtherAddressesOnlyWhenToldTo) {
  EXPECT_NE(refusal_of("MUSETALKD_LISTEN", "0.0.0.0:9000").find("MUSETALKD_ALLOW_ANONYMOUS=true"),
            std::string::npos);
  auto open = load({{},
                    {{"MUSETALKD_LISTEN", "0.0.0.0:9000", "environment"},
                     {"MUSETALKD_ALLOW_ANONYMOUS", "true", "environment"}},
                    {}});
  EXPECT_EQ(open.values.listen.host, "0.0.0.0");
}

TEST(Load, RendersKeyValueOriginUnitAndMeaning) {
  auto text = render(load({given("MUSETALKD_QUEUE_LIMIT", "5", ".env:3"), {}, {}}));
  auto line = text.substr(text.find("MUSETALKD_QUEUE_LIMIT"));
  line = line.substr(0, line.find('\n'));
  for (auto part : {" 5 ", ".env:3", "jobs", "Jobs that may wait"})
    EXPECT_NE(line.find(part), std::string::npos) << line;
}

TEST(EditDistance, CountsInsertionsDeletionsAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("QUEU", "QUEUE"), 1u);
}

TEST(Environment, IsReadAsKeysAndValues) {
  char one[] = "A=b=c";
  char two[] = "nothing";
  char* block[] = {one, two, nullptr};
  auto found = environment_of(block);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].key, "A");
  EXPECT_EQ(found[0].value, "b=c");
}

} // namespace musetalk::config
