#include "http/death_watch.hpp"

#include "tests/actors/deterministic_system.hpp"

#include <caf/behavior.hpp>
#include <caf/event_based_actor.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

namespace musetalk::http {

namespace {

caf::behavior thrower(caf::event_based_actor*) {
  return {[](int) {
    throw std::runtime_error{"a bug"};
  }};
}

} // namespace

class DeathWatch : public tests::DeterministicSystem {
protected:
  DeathWatch() {
    watch_for_death(subject, "thrower", [this](const std::string& x) { told.push_back(x); });
  }

  caf::actor subject = sys.spawn(thrower);
  std::vector<std::string> told;
};

TEST_F(DeathWatch, TellsOfAnActorThatThrew) {
  caf::anon_send(subject, 1);
  sched.run();
  EXPECT_EQ(told, (std::vector<std::string>{"the thrower has died"}));
}

TEST_F(DeathWatch, IsSilentWhenAnActorIsToldToEnd) {
  caf::anon_send_exit(subject, caf::exit_reason::user_shutdown);
  sched.run();
  EXPECT_EQ(told, std::vector<std::string>{});
}

} // namespace musetalk::http
