#include "config/setting_table.hpp"

#include "config/load.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

namespace musetalk::config {

namespace {

std::string contents_of(const std::filesystem::path& file) {
  auto in = std::ifstream{file, std::ios::binary};
  auto text = std::ostringstream{};
  text << in.rdbuf();
  return text.str();
}

} // namespace

TEST(SettingTable, DescribesEverySetting) {
  auto keys = std::set<std::string_view>{};
  auto flags = std::set<std::string>{};
  for (const auto& x : setting_table()) {
    EXPECT_TRUE(keys.insert(x.key).second) << x.key << " twice";
    EXPECT_TRUE(flags.insert(flag_of(x.key)).second) << flag_of(x.key) << " twice";
    EXPECT_TRUE(std::regex_match(std::string{x.key}, std::regex{"[A-Z][A-Z0-9_]*"})) << x.key;
    EXPECT_FALSE(x.meaning.empty()) << x.key;
    EXPECT_TRUE(x.meaning.ends_with('.')) << x.key;
    EXPECT_FALSE(x.type.empty()) << x.key;
    EXPECT_FALSE(x.rule.empty()) << x.key;
  }
}

TEST(SettingTable, KeepsTheSeedsKeys) {
  for (auto key :
       {"ENABLE_AVATAR", "AVATARS_DIR", "MUSETALK_BASE", "MUSETALK_CONDA_ENV", "FFMPEG_PATH"})
    EXPECT_NE(find_setting(key), nullptr) << key;
}

TEST(SettingTable, GivesTheExampleFileWordForWord) {
  auto file = std::filesystem::path{MUSETALK_SOURCE_DIR} / ".env.example";
  EXPECT_EQ(contents_of(file), example_file())
      << "bring it up to date: build/bin/musetalkd --print-example > .env.example";
}

TEST(SettingTable, TakesItsOwnExampleAsTheDefaults) {
  auto x = load({parse_env(example_file(), ".env.example"), {}, {}});
  auto defaults = load({});
  for (size_t i = 0; i < x.rows.size(); ++i)
    EXPECT_EQ(x.rows[i].text, defaults.rows[i].text);
}

TEST(SettingTable, NamesFlagsAfterKeys) {
  EXPECT_EQ(flag_of("MUSETALKD_QUEUE_LIMIT"), "queue-limit");
  EXPECT_EQ(flag_of("AVATARS_DIR"), "avatars-dir");
}

} // namespace musetalk::config
