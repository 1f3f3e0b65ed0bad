#pragma once

#include "actors/interfaces.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <optional>

namespace musetalk::tests {

struct deterministic_config : caf::actor_system_config {
  deterministic_config() {
    add_message_types<caf::id_block::musetalk>();
    set("scheduler.policy", caf::atom("testing"));
  }
};

/// What a request was answered with, once `sched.run()` has brought the answer.
template <class T>
struct answer {
  std::optional<T> value;
  std::optional<errc> code;
  std::string detail; ///< Of an error.
};

/// An actor system without threads: messages move only when a test calls `sched.run()`, time only
/// when it calls `sched.advance_time()` or `sched.trigger_timeouts()`.
class DeterministicSystem : public ::testing::Test {
protected:
  deterministic_config config;
  caf::actor_system sys{config};
  caf::scoped_actor self{sys};
  caf::scheduler::test_coordinator& sched =
      dynamic_cast<caf::scheduler::test_coordinator&>(sys.scheduler());

  ~DeterministicSystem() override {
    for (const auto& x : owned_)
      caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
    owned_.clear();
    sched.run();
  }

  /// Ends the actor with the test.
  template <class Handle>
  Handle own(Handle x) {
    owned_.push_back(caf::actor_cast<caf::strong_actor_ptr>(x));
    return x;
  }

  /// Lets a request's answer be read; runs the system first.
  template <class T, class Response>
  answer<T> read(Response& response) {
    sched.run();
    auto result = answer<T>{};
    response.receive([&](T& x) { result.value = std::move(x); },
                     [&](caf::error& x) {
                       result.code = actors::code_of(x);
                       result.detail = actors::detail_of(x);
                     });
    return result;
  }

  /// Asks, runs the system, answers the answer.
  template <class T, class Handle, class... Ts>
  answer<T> ask(const Handle& whom, Ts&&... xs) {
    auto response = self->request(whom, std::chrono::seconds{5}, std::forward<Ts>(xs)...);
    return read<T>(response);
  }

private:
  std::vector<caf::strong_actor_ptr> owned_;
};

} // namespace musetalk::tests
