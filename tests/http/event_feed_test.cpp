#include "http/event_feed.hpp"

#include "http/event_text.hpp"
#include "tests/actors/deterministic_system.hpp"
#include "tests/actors/fake_registry.hpp"
#include "tests/http/fake_exchange.hpp"

#include <gmock/gmock.h>

namespace musetalk::http {

namespace {

using namespace std::chrono_literals;
namespace atom = actors::atom;
using pipeline::event_page;
using pipeline::event_query;
using pipeline::job_state;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using tests::fake_exchange;

pipeline::job_event event(int64_t sequence, const std::string& job, job_state state) {
  return {sequence, job, 1'000'000, state, "registry", "", "of-" + job, 1};
}

pipeline::job_view view(const std::string& job, double fraction,
                        job_state state = job_state::running) {
  auto x = pipeline::job_view{};
  x.record.job_id = job;
  x.record.request.avatar_id = "of-" + job;
  x.record.state = state;
  x.progress.fraction = fraction;
  return x;
}

/// The ids and types in a piece of a stream, in order: `state 3`, `progress`, `snapshot 9`.
std::vector<std::string> told(const std::string& text) {
  auto result = std::vector<std::string>{};
  auto in = std::istringstream{text};
  for (auto line = std::string{}; std::getline(in, line);)
    if (line.starts_with("event: "))
      result.push_back(line.substr(7));
    else if (line.starts_with("id: "))
      result.back() += " " + line.substr(4);
  return result;
}

} // namespace

class EventFeed : public tests::DeterministicSystem {
protected:
  EventFeed() {
    settings.registry = own(sys.spawn(tests::fake_registry, &notes));
    settings.timeout = 1h; // other waits are triggered by name
  }
  ~EventFeed() override { end_all(); }

  std::shared_ptr<fake_exchange> follow(event_query query = {}) {
    if (!feed) {
      feed = own(sys.spawn(event_feed, settings));
      sched.run();
    }
    auto to = tests::make_exchange();
    caf::anon_send(feed, follow_events{make_event_stream(to), std::move(query)});
    sched.run();
    return to;
  }

  template <class Atom, class T>
  void tell(Atom what, T x) {
    caf::anon_send(feed, what, std::move(x));
    sched.run();
  }

  /// Lets gathered progress be told.
  void gather() {
    sched.advance_time(settings.gather);
    sched.run();
  }

  tests::registry_notes notes;
  event_feed_config settings;
  event_feed_actor feed;
};

TEST_F(EventFeed, BeginsWithWhereThingsStand) {
  notes.on_events = [](const event_query&) {
    return event_page{{}, 7, false, {view("j1", .5)}};
  };
  auto x = follow();
  EXPECT_EQ(x->status(), 200);
  EXPECT_EQ(x->header("Content-Type"), "text/event-stream");
  EXPECT_EQ(notes.followers, 1) << "the registry tells one, whoever listens";
  auto text = x->opened()->take();
  EXPECT_THAT(told(text), ElementsAre("snapshot 7"));
  EXPECT_THAT(text, HasSubstr("\"fraction\":0.5"));
  EXPECT_TRUE(text.ends_with("\n\n"));
}

TEST_F(EventFeed, TellsEveryEventOnceAndInOrder) {
  notes.on_events = [](const event_query&) {
    return event_page{{}, 2, false, {}};
  };
  auto x = follow();
  x->opened()->take();
  // 2 was in the page already: it had been on its way.
  for (auto sequence : {2, 3, 4, 4, 5})
    tell(atom::event_v, event(sequence, "j1", job_state::running));
  EXPECT_THAT(told(x->opened()->take()), ElementsAre("state 3", "state 4", "state 5"));
}

TEST_F(EventFeed, GivesAClientThatComesBackWhatItMissed) {
  notes.on_events = [](const event_query& query) {
    if (query.after == 3)
      return event_page{
          {event(4, "j1", job_state::running), event(5, "j2", job_state::queued)}, 5, true, {}};
    return event_page{{event(6, "j1", job_state::completed)}, 6, false, {view("j2", 0.)}};
  };
  auto x = follow({"", "", 3});
  // Told while the client is still behind: it is in the next page as well.
  tell(atom::event_v, event(6, "j1", job_state::completed));
  gather();
  EXPECT_THAT(told(x->opened()->take()),
              ElementsAre("state 4", "state 5", "state 6", "snapshot 6"));
  tell(atom::event_v, event(7, "j2", job_state::running));
  EXPECT_THAT(told(x->opened()->take()), ElementsAre("state 7"));
  ASSERT_EQ(notes.asked.size(), 2u);
  EXPECT_EQ(notes.asked[1].after, 5);
}

TEST_F(EventFeed, TellsEachOnlyWhatItFollows) {
  auto all = follow();
  auto job = follow({"j1", "", -1});
  auto avatar = follow({"", "of-j2", -1});
  for (const auto& x : {all, job, avatar})
    x->opened()->take();
  tell(atom::event_v, event(1, "j1", job_state::running));
  tell(atom::event_v, event(2, "j2", job_state::running));
  tell(atom::progress_v, view("j1", .1));
  tell(atom::progress_v, view("j2", .2));
  gather();
  EXPECT_THAT(told(all->opened()->take()),
              ElementsAre("state 1", "state 2", "progress", "progress"));
  EXPECT_THAT(told(job->opened()->take()), ElementsAre("state 1", "progress"));
  EXPECT_THAT(told(avatar->opened()->take()), ElementsAre("state 2", "progress"));
}

TEST_F(EventFeed, GathersProgressAndTellsTheLatest) {
  auto x = follow();
  x->opened()->take();
  for (auto i = 1; i <= 9; ++i)
    tell(atom::progress_v, view("j1", i / 10.));
  EXPECT_EQ(x->opened()->take(), "");
  gather();
  auto text = x->opened()->take();
  EXPECT_THAT(told(text), ElementsAre("progress"));
  EXPECT_THAT(text, HasSubstr("\"fraction\":0.9"));
  EXPECT_THAT(text, Not(HasSubstr("id:"))) << "progress is not durable";
}

TEST_F(EventFeed, TellsNoProgressBehindTheEnd) {
  auto x = follow();
  x->opened()->take();
  tell(atom::progress_v, view("j1", .9));
  tell(atom::event_v, event(1, "j1", job_state::completed));
  gather();
  EXPECT_THAT(told(x->opened()->take()), ElementsAre("state 1"));
}

TEST_F(EventFeed, HoldsProgressBackFromASlowClientButNoEvent) {
  auto slow = follow();
  auto quick = follow();
  for (const auto& x : {slow, quick})
    x->opened()->take();
  slow->opened()->set_backlog(1);
  tell(atom::progress_v, view("j1", .1));
  gather();
  tell(atom::progress_v, view("j2", .2));
  gather();
  tell(atom::event_v, event(1, "j1", job_state::cancelling));
  EXPECT_THAT(told(quick->opened()->take()), ElementsAre("progress", "progress", "state 1"));
  EXPECT_THAT(told(slow->opened()->take()), ElementsAre("state 1"));
  slow->opened()->set_backlog(0);
  gather();
  EXPECT_THAT(told(slow->opened()->take()), ElementsAre("progress", "progress"));
  EXPECT_EQ(quick->opened()->take(), "");
}

TEST_F(EventFeed, EndsTheStreamOfAJobAfterItsFinalEvent) {
  auto x = follow({"j1", "", -1});
  tell(atom::event_v, event(1, "j2", job_state::failed));
  EXPECT_TRUE(x->opened()->open());
  tell(atom::event_v, event(2, "j1", job_state::failed));
  EXPECT_FALSE(x->opened()->open());
  EXPECT_THAT(told(x->opened()->take()), ElementsAre("snapshot 0", "state 2"));
}

TEST_F(EventFeed, EndsTheStreamOfAJobThatHasEnded) {
  notes.on_events = [](const event_query& query) {
    auto missed = query.after >= 0 && query.after < 5;
    return event_page{missed ? std::vector{event(5, "j1", job_state::completed)}
                             : std::vector<pipeline::job_event>{},
                      9,
                      false,
                      {view("j1", 1., job_state::completed)}};
  };
  auto first = follow({"j1", "", -1});
  EXPECT_EQ(first->status(), 200);
  EXPECT_FALSE(first->opened()->open());
  auto again = follow({"j1", "", 4});
  EXPECT_THAT(told(again->opened()->take()), ElementsAre("state 5", "snapshot 9"));
  // Knows all: a browser that comes back by itself is told to stop.
  EXPECT_EQ(follow({"j1", "", 5})->status(), 204);
  EXPECT_EQ(follow({"j1", "", 9})->status(), 204);
  // An id of another catalog says nothing.
  EXPECT_EQ(follow({"j1", "", 10})->status(), 200);
}

TEST_F(EventFeed, AnswersAProblemWhereThereIsNothingToFollow) {
  notes.on_events = [](const event_query&) -> event_page {
    throw error(errc::job_not_found, "There is no job of that id.");
  };
  EXPECT_EQ(follow({"j1", "", -1})->code(), "job.not_found");
}

TEST_F(EventFeed, BoundsThoseWhoFollow) {
  settings.max_followers = 2;
  auto first = follow();
  follow();
  EXPECT_EQ(follow()->status(), 429);
  first->opened()->break_off();
  sched.advance_time(settings.tick);
  sched.run();
  EXPECT_EQ(follow()->status(), 200);
}

TEST_F(EventFeed, SaysNowAndThenThatTheStreamLives) {
  settings.heartbeat = 3 * settings.tick;
  auto idle = follow();
  auto reading = follow();
  idle->opened()->take();
  reading->opened()->take();
  reading->opened()->set_backlog(1);
  for (auto i = 0; i < 3; ++i) {
    EXPECT_EQ(idle->opened()->take(), "");
    sched.advance_time(settings.tick);
    sched.run();
  }
  EXPECT_EQ(idle->opened()->take(), heartbeat_text());
  EXPECT_EQ(reading->opened()->take(), "");
}

TEST_F(EventFeed, SleepsWhenNobodyFollows) {
  auto x = follow();
  x->opened()->break_off();
  sched.advance_time(settings.tick);
  sched.run();
  tell(atom::progress_v, view("j1", .1));
  auto handled = [] {
    auto result = uint64_t{0};
    for (const auto& reading : actors::read_meters())
      if (reading.name == "event-feed")
        result = reading.handled;
    return result;
  };
  auto before = handled();
  EXPECT_GT(before, 0u);
  sched.advance_time(10 * settings.tick);
  sched.run();
  EXPECT_EQ(handled(), before) << "no timer is left";
}

} // namespace musetalk::http
