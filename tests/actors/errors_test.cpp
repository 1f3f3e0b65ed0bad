#include "actors/errors.hpp"

#include "actors/interfaces.hpp"

#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>

#include <gtest/gtest.h>

using namespace musetalk;
using namespace musetalk::actors;

TEST(ActorErrors, CarryCodeAndPublicDetail) {
  auto x = make_error(errc::queue_full, "The queue holds 8 jobs.");
  EXPECT_EQ(code_of(x), errc::queue_full);
  EXPECT_EQ(detail_of(x), "The queue holds 8 jobs.");
}

TEST(ActorErrors, GiveCafsOwnErrorsACode) {
  EXPECT_EQ(code_of(caf::make_error(caf::sec::request_timeout)), errc::timeout);
  EXPECT_EQ(code_of(caf::make_error(caf::sec::request_receiver_down)), errc::worker_died);
  EXPECT_EQ(code_of(caf::make_error(caf::sec::runtime_error)), errc::worker_died);
  EXPECT_EQ(code_of(caf::make_error(caf::sec::unexpected_message)), errc::internal);
  EXPECT_EQ(code_of(caf::make_error(caf::exit_reason::kill)), errc::worker_died);
  EXPECT_EQ(code_of(caf::make_error(caf::exit_reason::user_shutdown)), errc::stopping);
}

TEST(ActorErrors, GuardTurnsOurErrorsIntoTheirCodeWithoutTheCause) {
  auto x = guard([]() -> int {
    throw error(errc::video_too_long, "The video lasts 61 s; the limit is 30 s.", "/tmp/secret");
  });
  ASSERT_FALSE(x);
  EXPECT_EQ(code_of(x.error()), errc::video_too_long);
  EXPECT_EQ(detail_of(x.error()), "The video lasts 61 s; the limit is 30 s.");
}

TEST(ActorErrors, GuardHidesTheTextOfForeignExceptions) {
  auto x = guard([]() -> int { throw std::runtime_error("c10::Error at /opt/libtorch"); });
  ASSERT_FALSE(x);
  EXPECT_EQ(code_of(x.error()), errc::internal);
  EXPECT_EQ(detail_of(x.error()).find("libtorch"), std::string::npos);
}

TEST(ActorErrors, GuardPassesValuesAndUnit) {
  EXPECT_EQ(*guard([] { return 7; }), 7);
  EXPECT_TRUE(guard([] {}));
}
