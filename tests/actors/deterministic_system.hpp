#pragma once

#include "actors/interfaces.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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

  bool told() const { return value || code; }
};

/// An actor system without threads: messages move only when a test calls `sched.run()`, time only
/// when it calls `sched.advance_time()` or `sched.trigger_timeouts()`.
struct deterministic_system {
  deterministic_config config;
  caf::actor_system sys{config};
  caf::scoped_actor self{sys};
  caf::scheduler::test_coordinator& sched =
      dynamic_cast<caf::scheduler::test_coordinator&>(sys.scheduler());

  ~deterministic_system() { end_all(); }

  /// Ends the actor with the system.
  template <class Handle>
  Handle own(Handle x) {
    owned.push_back(caf::actor_cast<caf::strong_actor_ptr>(x));
    return x;
  }

  /// Ends what is owned. Tests whose actors use their members call it before these go.
  void end_all() {
    for (const auto& x : owned)
      caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
    owned.clear();
    sched.run();
  }

  template <class Handle>
  void kill(const Handle& x) {
    caf::anon_send_exit(x, caf::exit_reason::kill);
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
    auto response = self->request(whom, std::chrono::minutes{600}, std::forward<Ts>(xs)...);
    return read<T>(response);
  }

  /// Asks without waiting: the answer fills itself when it comes.
  template <class T, class Handle, class... Ts>
  std::shared_ptr<answer<T>> ask_later(const Handle& whom, Ts... xs) {
    auto result = std::make_shared<answer<T>>();
    sys.spawn([=](caf::event_based_actor* asker) {
      asker->request(whom, std::chrono::minutes{600}, xs...)
          .then([=](T& x) { result->value = std::move(x); },
                [=](caf::error& x) {
                  result->code = actors::code_of(x);
                  result->detail = actors::detail_of(x);
                });
    });
    sched.run();
    return result;
  }

  std::vector<caf::strong_actor_ptr> owned;
};

class DeterministicSystem : public ::testing::Test, protected deterministic_system {};

} // namespace musetalk::tests
