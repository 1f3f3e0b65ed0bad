#include "pipeline/avatar_tag.hpp"

#include "tests/pipeline/expect_error.hpp"

#include <gtest/gtest.h>

using namespace musetalk;
using namespace musetalk::pipeline;

namespace {

avatar anna() {
  auto x = avatar{};
  x.avatar_id = "anna";
  x.current_version = "v000002";
  for (const auto* name : {"v000001", "v000002"})
    x.versions.emplace_back().version = name;
  return x;
}

} // namespace

TEST(AvatarTag, ChangesWithWhatMayBeChanged) {
  auto before = avatar_tag(anna());
  EXPECT_EQ(before.size(), 18u);
  EXPECT_EQ(before.front(), '"');
  auto x = anna();
  x.updated_us = 5;
  x.latest_job_id = "j2";
  EXPECT_EQ(avatar_tag(x), before) << "jobs come and go";
  x.current_version = "v000001";
  EXPECT_NE(avatar_tag(x), before);
  x = anna();
  x.versions.pop_back();
  EXPECT_NE(avatar_tag(x), before);
  x = anna();
  x.versions[1].created_us = 9;
  EXPECT_NE(avatar_tag(x), before) << "a version of the same name is another one";
  x = anna();
  x.tutor_id = "t1";
  EXPECT_NE(avatar_tag(x), before);
}

TEST(AvatarTag, MatchesAnyOfAList) {
  auto tag = avatar_tag(anna());
  for (const auto& good : {std::string{}, std::string{"*"}, tag, "\"x\", " + tag, tag + ",\"y\""})
    EXPECT_NO_THROW(require_match(anna(), good)) << good;
  for (const auto& bad : {std::string{"\"x\""}, "W/" + tag, std::string{","}, std::string{" "}})
    EXPECT_THROW(require_match(anna(), bad), error) << bad;
  EXPECT_EQ(test::detail_of(errc::precondition_failed, [] { require_match(anna(), "x"); }),
            "The avatar's tag is " + tag + " now.");
}
