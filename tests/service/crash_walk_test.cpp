#include "tests/service/crash_fixture.hpp"

#include <signal.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <mutex>
#include <random>
#include <regex>
#include <sstream>
#include <thread>

// The long walk: killed at each failpoint, failed at each, and killed at random times. Takes many
// minutes: `ctest --test-dir build -L soak`. FAILPOINTS=REGEX walks only some; RANDOM_KILLS=N sets
// the count of random ones.

namespace musetalk::tests {

namespace {

std::regex wanted() {
  auto text = std::getenv("FAILPOINTS");
  return std::regex{text ? text : ".*"};
}

int random_kills() {
  auto text = std::getenv("RANDOM_KILLS");
  return text ? std::atoi(text) : 50;
}

/// How often each failpoint was hit, of a trace.
std::map<std::string, int> hits_in(const std::filesystem::path& trace) {
  auto result = std::map<std::string, int>{};
  auto in = std::ifstream{trace};
  for (auto name = std::string{}; std::getline(in, name);)
    ++result[name];
  return result;
}

/// Every failpoint that the sources name; transactions have two.
std::set<std::string> named_in_sources() {
  auto result = std::set<std::string>{};
  auto call = std::regex{"(disk_step|failpoint)\\(\\s*\"([a-z_.]+)\""};
  auto transaction = std::regex{"\"(catalog\\.[a-z_]+)\""};
  for (auto room : {"pipeline", "actors", "http"})
    for (const auto& entry :
         std::filesystem::directory_iterator{std::filesystem::path{MUSETALK_SOURCE_DIR} / room}) {
      if (!entry.is_regular_file())
        continue;
      auto text = contents_of(entry.path());
      for (auto x = std::sregex_iterator{text.begin(), text.end(), call};
           x != std::sregex_iterator{}; ++x)
        result.insert((*x)[2]);
      for (auto x = std::sregex_iterator{text.begin(), text.end(), transaction};
           x != std::sregex_iterator{}; ++x)
        result.insert((*x)[1]);
    }
  return result;
}

/// Where only a kill makes sense: after the step.
bool only_kills(const std::string& name) {
  for (auto end : {".done", "_done", ".made", ".removed"})
    if (name.ends_with(end))
      return true;
  return false;
}

bool at_start(const std::string& name) {
  return name.starts_with("recover.") || name.starts_with("catalog.reconcile") ||
         name.starts_with("catalog.migrate") || name.starts_with("catalog.open");
}

} // namespace

class CrashWalk : public NativeCrash {
protected:
  void use_networks(bool yes) {
    settings["ENABLE_AVATAR"] = yes ? "true" : "false";
    first_clip = yes ? short_clip() : media("one_frame.mp4");
    second_clip = yes ? media("carphone.mp4") : short_clip();
  }

  /// Hits of an undisturbed life, and those before it listened.
  std::pair<std::map<std::string, int>, std::map<std::string, int>>
  trace(const std::vector<step>& script) {
    begin_anew();
    auto file = folder / "trace";
    std::filesystem::remove(file);
    settings["FAILPOINT_TRACE"] = file.string();
    start_with("");
    auto before = hits_in(file);
    EXPECT_TRUE(run(script));
    EXPECT_EQ(server->stop(), 0);
    settings.erase("FAILPOINT_TRACE");
    return {hits_in(file), before};
  }

  void kill_at_each(const std::vector<step>& script, const std::set<std::string>& skip,
                    std::set<std::string>& seen) {
    auto [hits, before] = trace(script);
    for (const auto& [name, count] : hits) {
      seen.insert(name);
      if (skip.contains(name) || at_start(name) || !std::regex_match(name, wanted()))
        continue;
      // the first, one in the middle, the last
      for (auto at : std::set<int>{before[name] + 1, (before[name] + count + 1) / 2, count}) {
        if (at <= before[name])
          continue;
        auto failpoint = name + "=kill@" + std::to_string(at);
        SCOPED_TRACE(failpoint);
        begin_anew();
        // Timing may spare the last ones of those that depend on it.
        if (!dies_at(failpoint, script) && at == before[name] + 1)
          ADD_FAILURE() << "was not hit";
        recover_and_check();
      }
    }
  }

  void fail_at_each(const std::vector<step>& script, const std::set<std::string>& skip) {
    auto [hits, before] = trace(script);
    for (const auto& [name, count] : hits) {
      if (skip.contains(name) || only_kills(name) || at_start(name) || count <= before[name] ||
          !std::regex_match(name, wanted()))
        continue;
      auto first = std::to_string(before[name] + 1);
      for (auto action :
           {"=enospc@" + first, "=eio@" + first, "=enospc@" + first + "+", "=eio@" + first + "+"}) {
        SCOPED_TRACE(name + action);
        begin_anew();
        start_with(name + action);
        // Not to the end: what could not be removed waits for the next start.
        auto lived = run({script.begin(), script.end() - 1});
        // A catalog that refuses everything for long ends the service, which says so.
        auto gave_up = !lived && name.starts_with("catalog.") && action.ends_with('+') &&
                       server->process().wait() == 1;
        EXPECT_TRUE(lived || gave_up);
        for (const auto& code : client_was.refusals)
          EXPECT_NE(code, "internal");
        if (lived) {
          EXPECT_EQ(client->Get("/livez")->status, 200);
          for (const auto& x : findings())
            EXPECT_TRUE(x["heals"]) << x.dump();
        }
        // A restart mends the rest; then nothing more is promised than what is on disk.
        client_was.present.clear();
        client_was.gone.clear();
        recover_and_check();
      }
    }
  }
};

TEST_F(CrashWalk, KilledAtEachFailpoint) {
  auto seen = std::set<std::string>{};
  use_networks(false);
  kill_at_each(life(), {}, seen);
  auto in_mock = seen;
  use_networks(true);
  kill_at_each(short_life(), in_mock, seen);
  // while it puts right what an earlier kill left
  use_networks(false);
  for (auto earlier : {"place.rename_sync=kill@1", "publish.manifest_done=kill@1"}) {
    begin_anew();
    auto file = folder / "trace";
    std::filesystem::remove(file);
    ASSERT_TRUE(dies_at(earlier, {&Crash::make}));
    settings["FAILPOINT_TRACE"] = file.string();
    start_with("");
    settings.erase("FAILPOINT_TRACE");
    auto hits = hits_in(file);
    for (const auto& [name, count] : hits) {
      seen.insert(name);
      if (!std::regex_match(name, wanted()))
        continue;
      auto failpoint = name + "=kill@1";
      SCOPED_TRACE(std::string{earlier} + ", then " + failpoint);
      begin_anew();
      ASSERT_TRUE(dies_at(earlier, {&Crash::make}));
      EXPECT_TRUE(dies_starting(failpoint));
      recover_and_check();
    }
  }
  // each name in the sources was there, but for what only the clock or damage brings about
  auto rare = std::set<std::string>{"catalog.page", "catalog.prune_events", "catalog.uses",
                                    "catalog.pin",  "catalog.check",        "catalog.lose_version"};
  for (const auto& name : named_in_sources())
    EXPECT_TRUE(seen.contains(name) || rare.contains(name)) << name << " was never hit";
}

TEST_F(CrashWalk, FailsAtEachFailpoint) {
  use_networks(false);
  auto [in_mock, before] = trace(life());
  fail_at_each(life(), {});
  auto skip = std::set<std::string>{};
  for (const auto& [name, count] : in_mock)
    skip.insert(name);
  use_networks(true);
  fail_at_each(short_life(), skip);
}

TEST_F(CrashWalk, KilledAtRandomTimes) {
  auto seed = std::random_device{}();
  RecordProperty("seed", std::to_string(seed));
  SCOPED_TRACE("seed " + std::to_string(seed));
  auto random = std::mt19937{seed};
  use_networks(false);
  for (auto i = 0; i < random_kills(); ++i) {
    begin_anew();
    start_with("");
    auto id = server->process().id();
    auto after = std::chrono::milliseconds{std::uniform_int_distribution{1, 4000}(random)};
    SCOPED_TRACE("kill " + std::to_string(i) + " after " + std::to_string(after.count()) + " ms");
    auto mutex = std::mutex{};
    auto over = std::condition_variable{};
    auto ended = false;
    auto killer = std::thread{[&] {
      auto lock = std::unique_lock{mutex};
      over.wait_for(lock, after, [&] { return ended; });
      ::kill(id, SIGKILL);
    }};
    run(life());
    {
      auto lock = std::lock_guard{mutex};
      ended = true;
    }
    over.notify_all();
    killer.join();
    EXPECT_EQ(server->process().wait(), -SIGKILL);
    recover_and_check();
  }
}

} // namespace musetalk::tests
