#include <gtest/gtest.h>

#include "http/gate/deadlines.hpp"

namespace musetalk::http::gate {
namespace {

using namespace std::chrono_literals;
using phase = deadlines::phase;

const limits bounds{.min_body_bytes_per_s = 100,
                    .head_timeout = 10s,
                    .body_idle_timeout = 20s,
                    .keep_alive_timeout = 75s,
                    .linger_timeout = 5s,
                    .linger_total_timeout = 30s};
const time_point start{1000s};

TEST(Deadlines, CountAHeadFromItsFirstByte) {
  deadlines d{start};
  EXPECT_FALSE(d.expired(start + 10s, bounds));
  d.progress(1, start + 9s);
  EXPECT_TRUE(d.expired(start + 10s + 1ms, bounds));
}

TEST(Deadlines, GiveAnIdleConnectionItsTime) {
  deadlines d{start};
  d.enter(phase::idle, start);
  EXPECT_FALSE(d.expired(start + 75s, bounds));
  EXPECT_TRUE(d.expired(start + 75s + 1ms, bounds));
}

TEST(Deadlines, LetABodyLiveThatProgresses) {
  deadlines d{start};
  d.enter(phase::body, start);
  for (auto at = 15s; at <= 600s; at += 15s) {
    EXPECT_FALSE(d.expired(start + at, bounds)) << at.count();
    d.progress(1500, start + at);
  }
  EXPECT_TRUE(d.expired(start + 600s + 20s + 1ms, bounds));
}

TEST(Deadlines, EndABodyThatTrickles) {
  deadlines d{start};
  d.enter(phase::body, start);
  auto at = start;
  while (!d.expired(at, bounds) && at < start + 600s) {
    d.progress(10, at);
    at += 1s;
  }
  EXPECT_EQ(at, start + 23s);
}

TEST(Deadlines, NeverEndOurOwnWork) {
  deadlines d{start};
  d.enter(phase::answering, start);
  EXPECT_FALSE(d.expired(start + 24h, bounds));
}

TEST(Deadlines, BoundLingeringTwice) {
  deadlines d{start};
  d.enter(phase::lingering, start);
  EXPECT_TRUE(d.expired(start + 5s + 1ms, bounds));
  for (auto at = 1s; at <= 30s; at += 1s)
    d.progress(1, start + at);
  EXPECT_FALSE(d.expired(start + 30s, bounds));
  EXPECT_TRUE(d.expired(start + 30s + 1ms, bounds));
}

} // namespace
} // namespace musetalk::http::gate
