#include "pipeline/ids.hpp"

#include "pipeline/time.hpp"
#include "tests/pipeline/expect_error.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace musetalk;
using namespace musetalk::pipeline;

TEST(AvatarId, TakesLettersDigitsDashAndUnderscore) {
  for (const auto& text : {std::string{"a"}, std::string{"7"}, std::string{"Teacher-1"},
                           std::string{"a_b"}, std::string(64, 'x')})
    EXPECT_TRUE(is_id(text)) << text;
}

TEST(AvatarId, RefusesWhatCouldLeaveItsFolder) {
  for (auto text :
       {"", ".", "..", "../x", "a/b", "a.b", "-a", "_a", " a", "a ", "a\n", "\xC3\xA4", "a%2f"})
    EXPECT_FALSE(is_id(text)) << text;
  EXPECT_FALSE(is_id(std::string(65, 'x')));
  EXPECT_FALSE(is_id(std::string_view{"a\0b", 3}));
}

TEST(AvatarId, TellsTheRuleAndTheLengthButNotTheText) {
  auto detail = test::detail_of(errc::avatar_id_invalid,
                                [] { require_avatar_id("<script>" + std::string(192, 'x')); });
  EXPECT_NE(detail.find("200 bytes"), std::string::npos) << detail;
  EXPECT_EQ(detail.find("script"), std::string::npos) << detail;
  EXPECT_NO_THROW(require_avatar_id("teacher"));
}

TEST(JobId, IsAnIdAndGrowsInOneThread) {
  auto ids = std::vector<std::string>{};
  for (auto i = 0; i < 5000; ++i)
    ids.push_back(new_job_id());
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end());
  EXPECT_EQ(ids.front().size(), 26u);
  EXPECT_TRUE(is_id(ids.front()));
}

TEST(JobId, KnowsWhenItWasMade) {
  auto before = now_us() / 1000 * 1000;
  auto made = made_at(new_job_id());
  ASSERT_TRUE(made);
  EXPECT_GE(*made, before);
  EXPECT_LE(*made, now_us());
  EXPECT_EQ(made_at("00000000010000000000000000"), 1000);
  for (auto text : {"", "v000001", "0000000001000000000000000u", "000000000100000000000000000"})
    EXPECT_FALSE(made_at(text)) << text;
}

TEST(JobId, IsUniqueOverThreads) {
  auto lists = std::vector<std::vector<std::string>>(4);
  {
    auto threads = std::vector<std::jthread>{};
    for (auto& list : lists)
      threads.emplace_back([&list] {
        for (auto i = 0; i < 2000; ++i)
          list.push_back(new_upload_id());
      });
  }
  auto all = std::set<std::string>{};
  for (const auto& list : lists)
    all.insert(list.begin(), list.end());
  EXPECT_EQ(all.size(), 8000u);
}

TEST(VersionName, ReadsBack) {
  EXPECT_EQ(version_name(1), "v000001");
  for (auto number : {1u, 42u, 999999u, 1000000u, 99999999u})
    EXPECT_EQ(version_number(version_name(number)), number);
}

TEST(VersionName, HasOneSpelling) {
  for (auto text : {"", "v", "v1", "v000000", "v0000001", "V000001", "v00000a", "adopted",
                    "v00001 ", "v9999999999", "../v001"})
    EXPECT_EQ(version_number(text), std::nullopt) << text;
}
