#include "actors/duration_histogram.hpp"
#include "actors/figures.hpp"
#include "actors/history.hpp"
#include "actors/observer.hpp"
#include "actors/roster.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

using namespace musetalk::actors;
using namespace std::chrono_literals;

namespace {

int64_t ns(std::chrono::nanoseconds x) {
  return x.count();
}

/// An actor of which only the meter is there.
struct fake_actor {
  explicit fake_actor(uint64_t id) : counts(make_meter(id)) {
    counts->introduced("probe", false);
    counts->began(nullptr);
    counts->ended(false);
  }

  ~fake_actor() { unlist_meter(*counts, ""); }

  /// Begins with a message that has arrived.
  void begin(const char* type) {
    counts->began(counts->type_of(std::hash<std::string>{}(type), [&] { return type; }));
  }

  void handle(const char* type) {
    begin(type);
    counts->ended(true);
  }

  std::shared_ptr<meter> counts;
};

// Ids that no actor system of this process gives.
constexpr auto some_id = uint64_t{1} << 50;

observed_actor seen(const observer& x, uint64_t id) {
  auto found = x.actor(id);
  return found ? *found : observed_actor{};
}

} // namespace

// -- durations ---------------------------------------------------------------------

TEST(DurationHistogram, TellsQuantilesWithinAnEighth) {
  auto x = duration_histogram{};
  for (auto ms = 1; ms <= 1000; ++ms)
    x.add(ns(std::chrono::milliseconds{ms}));
  EXPECT_EQ(x.count(), 1000u);
  EXPECT_NEAR(static_cast<double>(x.quantile_ns(.5)), 500e6, 500e6 / 8);
  EXPECT_NEAR(static_cast<double>(x.quantile_ns(.99)), 990e6, 990e6 / 8);
  EXPECT_EQ(x.max_ns(), 1'000'000'000);
  EXPECT_EQ(x.sum_ns(), 500'500'000'000);
}

TEST(DurationHistogram, TakesWhatIsOutsideOfItsBuckets) {
  auto x = duration_histogram{};
  EXPECT_EQ(x.quantile_ns(.5), 0);
  x.add(-5);
  x.add(0);
  x.add(ns(100h));
  EXPECT_EQ(x.count(), 3u);
  EXPECT_LT(x.quantile_ns(.5), 1000);
  EXPECT_GT(x.quantile_ns(1.), ns(30min));
}

// -- arrivals ----------------------------------------------------------------------

TEST(ArrivalTimes, KnowTheNewestExactlyAndOlderOnesRoughly) {
  auto x = arrival_times{};
  constexpr auto arrived = uint64_t{10'000};
  for (uint64_t i = 0; i < arrived; ++i)
    x.note(i, static_cast<int64_t>(i + 1) * 1'000'000);
  EXPECT_EQ(x.at(9'999, arrived), 10'000'000'000);
  EXPECT_EQ(x.at(9'940, arrived), 9'941'000'000);
  // Of older ones each 64th is known, and the next of these is told.
  EXPECT_EQ(x.at(9'000, arrived), 9'025'000'000);
  EXPECT_EQ(x.at(100, arrived), 4'097'000'000);
  EXPECT_EQ(x.at(arrived, arrived), 0);
}

// -- meters and the roster ---------------------------------------------------------

TEST(Meter, TellsTypesDepthAndWhatIsHandledNow) {
  auto actor = fake_actor{some_id};
  for (auto i = 0; i < 3; ++i)
    actor.counts->arrived();
  actor.handle("pull");
  actor.begin("close");
  auto now = actor.counts->read();
  EXPECT_EQ(now.depth, 2u);
  EXPECT_EQ(now.max_depth, 3u);
  EXPECT_EQ(now.handled, 1u);
  EXPECT_EQ(now.current_type, "close");
  EXPECT_GE(now.current_us, 0);
  auto later = actor.counts->sample(meter::now_ns() + ns(70s));
  EXPECT_GE(later.current_ns, ns(70s));
  EXPECT_GE(later.oldest_ns, ns(70s));
  auto types = actor.counts->read_types();
  ASSERT_EQ(types.size(), 1u);
  EXPECT_EQ(types[0].type, "pull");
  EXPECT_EQ(types[0].count, 1u);
}

TEST(Meter, GathersTypesBeyondItsRoomUnderOneName) {
  auto actor = fake_actor{some_id};
  for (auto i = 0; i < 100; ++i) {
    actor.counts->arrived();
    actor.handle(("type " + std::to_string(i)).c_str());
  }
  auto types = actor.counts->read_types();
  EXPECT_EQ(types.size(), 32u);
  EXPECT_EQ(types.back().type, "others");
  EXPECT_EQ(types.back().count, 69u);
}

TEST(Roster, KnowsParentsAndKeepsWhatEnded) {
  auto parent = fake_actor{some_id};
  {
    auto here = acting{some_id};
    auto child = fake_actor{some_id + 1};
    EXPECT_EQ(child.counts->read().parent, some_id);
    place_actor(some_id + 1, {"roster child", some_id, 2});
    EXPECT_EQ(child.counts->read().name, "roster child");
    EXPECT_EQ(child.counts->read().restarts, 2u);
    child.counts->arrived();
    child.handle("work");
    unlist_meter(*child.counts, "it broke");
  }
  EXPECT_EQ(acting::current(), 0u);
  EXPECT_EQ(find_meter(some_id + 1), nullptr);
  auto ended = ended_actors();
  ASSERT_FALSE(ended.empty());
  EXPECT_EQ(ended[0].last.name, "roster child");
  EXPECT_EQ(ended[0].reason, "it broke");
  // What it did stays in the sums.
  EXPECT_EQ(read_totals()["roster child"].handled, 1u);
  EXPECT_EQ(read_totals()["roster child"].ended, 1u);
}

// -- history -----------------------------------------------------------------------

TEST(History, KeepsAnHourOfWhatHappenedAndNothingOfIdleActors) {
  auto x = history{};
  for (int64_t second = 0; second < 2 * 3600; ++second) {
    x.add(1, second, {1, 2, 3, 4});
    x.add(2, second, {});
  }
  auto last = x.series(1, 2 * 3600 - 10, 10);
  ASSERT_EQ(last.size(), 10u);
  EXPECT_EQ(last[9].handled, 2u);
  EXPECT_TRUE(x.series(1, 0, 10)[9].idle());
  EXPECT_TRUE(x.series(2, 7000, 10)[9].idle());
  EXPECT_LT(x.bytes(), 62u * 640u);
}

TEST(History, StaysWithinItsMemoryAndForgetsTheOldestFirst) {
  constexpr auto most = size_t{1} << 20;
  auto x = history{most};
  for (int64_t second = 0; second < 180; ++second)
    for (uint64_t actor = 0; actor < 1000; ++actor)
      x.add(actor, second, {1, 1, 1, 1});
  EXPECT_LE(x.bytes(), most);
  EXPECT_FALSE(x.series(7, 179, 1)[0].idle());
  EXPECT_TRUE(x.series(7, 0, 1)[0].idle());
}

// -- the observer ------------------------------------------------------------------

TEST(Observer, TellsRatesOfTheLastSecond) {
  auto x = observer{{}};
  auto actor = fake_actor{some_id};
  auto now = observer::clock::now();
  x.look(now);
  for (auto i = 0; i < 50; ++i) {
    actor.counts->arrived();
    actor.handle("work");
  }
  x.look(now + 2s);
  EXPECT_DOUBLE_EQ(seen(x, some_id).messages_per_s, 25.);
  auto past = x.series(some_id, 5);
  ASSERT_EQ(past.samples.size(), 5u);
  EXPECT_EQ(past.samples[4].handled, 25u);
}

TEST(Observer, ShowsAWedgedActorAsStuckWithoutAskingIt) {
  auto told = std::vector<watch_event>{};
  auto x = observer{{1000, 30s, 60s}, [&](const auto& event) {
                      told.push_back(event);
                    }};
  auto actor = fake_actor{some_id};
  actor.counts->arrived();
  actor.counts->arrived();
  actor.begin("execute");
  auto now = observer::clock::now();
  x.look(now);
  EXPECT_TRUE(told.empty());
  x.look(now + 61s);
  auto stuck = seen(x, some_id);
  EXPECT_TRUE(stuck.over[static_cast<size_t>(watch_kind::handler)]);
  EXPECT_TRUE(stuck.over[static_cast<size_t>(watch_kind::waiting)]);
  EXPECT_DOUBLE_EQ(stuck.busy, 1.);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].message, "execute");
  // It lasts: told once.
  x.look(now + 70s);
  EXPECT_EQ(told.size(), 2u);
  EXPECT_EQ(x.event_counts()[static_cast<size_t>(watch_kind::handler)], 1u);
  // It is over when the actor moves on.
  actor.counts->ended(true);
  actor.handle("execute");
  x.look(now + 71s);
  EXPECT_EQ(told.size(), 4u);
  for (const auto& event : x.events())
    EXPECT_TRUE(event.ended);
}

TEST(Observer, TellsAFullMailboxOnceWhileItSwingsAroundTheLimit) {
  auto told = 0;
  auto x = observer{{10, 1h, 1h}, [&](const auto&) {
                      ++told;
                    }};
  auto actor = fake_actor{some_id};
  auto now = observer::clock::now();
  for (auto i = 0; i < 12; ++i)
    actor.counts->arrived();
  x.look(now);
  EXPECT_EQ(told, 1);
  for (auto i = 0; i < 4; ++i)
    actor.handle("work");
  x.look(now + 1s);
  EXPECT_EQ(told, 1);
  for (auto i = 0; i < 4; ++i)
    actor.handle("work");
  x.look(now + 2s);
  EXPECT_EQ(told, 2);
  EXPECT_DOUBLE_EQ(x.events().front().value, 12.);
}

TEST(Observer, EndsTheEventsOfAnActorThatEnds) {
  auto x = observer{{1, 1h, 1h}};
  auto now = observer::clock::now();
  {
    auto actor = fake_actor{some_id};
    actor.counts->arrived();
    actor.counts->arrived();
    x.look(now);
    EXPECT_FALSE(x.events().front().ended);
  }
  x.look(now + 1s);
  EXPECT_TRUE(x.events().front().ended);
  EXPECT_FALSE(x.actor(some_id));
  EXPECT_EQ(x.series(some_id, 3).samples[1].depth, 2u);
}

// -- figures -----------------------------------------------------------------------

TEST(Figures, CountInBuckets) {
  auto x = bucket_counts{{1, 2, 4}};
  for (auto value : {.5, 1., 3., 9.})
    x.add(value);
  EXPECT_EQ(x.counts(), (std::vector<uint64_t>{2, 0, 1, 1}));
  EXPECT_EQ(x.total(), 4u);
  EXPECT_DOUBLE_EQ(x.sum(), 13.5);
}
