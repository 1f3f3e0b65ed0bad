// What looking at actors costs: messages per second with and without meters in the same run, and a
// look at many actors. Prints JSON.

#include "actors/metered.hpp"
#include "actors/observer.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/stateful_actor.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <string>
#include <vector>

namespace {

using namespace musetalk::actors;
using std::chrono::steady_clock;

struct worker_state {
  uint64_t sum = 1;
  static inline const char* name = "worker";
};

/// Work that takes some time and no memory: a handler of the service takes 10 us at least.
void work(uint64_t& sum, int64_t rounds) {
  for (auto i = int64_t{0}; i < rounds; ++i)
    sum = sum * 6364136223846793005u + 1442695040888963407u;
}

template <class Self>
caf::behavior worker(Self* self, int64_t rounds) {
  return {
      [=](uint64_t) { work(self->state.sum, rounds); },
      [=](bool) { return self->state.sum; },
  };
}

using plain = caf::stateful_actor<worker_state>;
using watched = caf::stateful_actor<worker_state, metered<caf::event_based_actor>>;

double seconds_since(steady_clock::time_point begin) {
  return std::chrono::duration<double>{steady_clock::now() - begin}.count();
}

double cpu_seconds() {
  auto now = timespec{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// Nanoseconds for one message.
template <class Self>
double one_run(caf::actor_system& system, int64_t messages, int64_t rounds) {
  auto self = caf::scoped_actor{system};
  auto actor = system.spawn(worker<Self>, rounds);
  auto begin = steady_clock::now();
  for (auto i = int64_t{0}; i < messages; ++i)
    self->send(actor, uint64_t{1});
  self->request(actor, caf::infinite, true).receive([](uint64_t) {}, [](caf::error&) {});
  return seconds_since(begin) / static_cast<double>(messages) * 1e9;
}

double median(std::vector<double> xs) {
  std::nth_element(xs.begin(), xs.begin() + static_cast<ptrdiff_t>(xs.size() / 2), xs.end());
  return xs[xs.size() / 2];
}

/// Both kinds take turns, so that what else the machine does hits both.
void compare(caf::actor_system& system, const char* name, int64_t messages, int64_t rounds,
             int runs) {
  auto without = std::vector<double>{};
  auto with = std::vector<double>{};
  for (auto i = 0; i < runs; ++i) {
    without.push_back(one_run<plain>(system, messages, rounds));
    with.push_back(one_run<watched>(system, messages, rounds));
  }
  auto a = median(without);
  auto b = median(with);
  std::cout << "{\"name\":\"" << name << "\",\"plain_ns\":" << a << ",\"metered_ns\":" << b
            << ",\"overhead_percent\":" << (b - a) / a * 100. << "}\n";
}

struct one_thread : caf::actor_system_config {
  one_thread() { set("scheduler.max-threads", size_t{1}); }
};

/// Actors of which only the meters are there: that is all a look sees.
void look(size_t count, int looks) {
  auto meters = std::vector<std::shared_ptr<meter>>{};
  for (size_t i = 0; i < count; ++i) {
    meters.push_back(make_meter((uint64_t{1} << 50) + i));
    meters.back()->introduced("worker", false);
  }
  auto x = observer{{}};
  auto now = observer::clock::now();
  auto spent = 0.;
  for (auto i = 0; i < looks; ++i) {
    // A tenth of them does something in each second.
    for (size_t j = static_cast<size_t>(i) % 10; j < count; j += 10) {
      meters[j]->arrived();
      meters[j]->began(meters[j]->type_of(1, [] { return "work"; }));
      meters[j]->ended(true);
    }
    auto begin = cpu_seconds();
    x.look(now + std::chrono::seconds{i});
    spent += cpu_seconds() - begin;
  }
  std::cout << "{\"name\":\"look\",\"actors\":" << count
            << ",\"percent_of_a_core_at_1_hz\":" << spent / looks * 100. << "}\n";
  for (const auto& m : meters)
    unlist_meter(*m, "");
}

} // namespace

/// bench_actors [RUNS]
int main(int argc, char** argv) {
  auto runs = argc > 1 ? std::max(std::atoi(argv[1]), 1) : 15;
  auto config = one_thread{};
  auto system = caf::actor_system{config};
  compare(system, "empty handler", 50'000, 0, runs);
  compare(system, "short handler", 5'000, 10'000, runs);
  compare(system, "long handler", 500, 100'000, runs);
  look(10'000, runs * 4);
}
