#pragma once

#include "actors/errors.hpp"
#include "actors/roster.hpp"

#include <caf/error.hpp>
#include <caf/invoke_message_result.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/stateful_actor.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace musetalk::actors {

/// Names the type of a message cheaply; equal for equal types.
uint64_t message_key(const caf::mailbox_element& x);

/// The type of a message for people: its atom, else its first type; answers as `answer: job_view`.
std::string message_name(const caf::mailbox_element& x);

/// Code and public detail, as meters keep it.
std::string noted(const caf::error& x);

/// A mixin that counts mailbox depth, handled messages and busy time of an actor without asking it.
/// Base is a typed event-based actor; `stateful_actor` goes on top, see `metered_actor`.
template <class Base>
class metered : public Base {
public:
  template <class... Ts>
  explicit metered(caf::actor_config& cfg, Ts&&... xs)
      : Base(cfg, std::forward<Ts>(xs)...), meter_(make_meter(this->id())) {
    // nop
  }

  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit* host) override {
    meter_->arrived();
    Base::enqueue(std::move(what), host);
  }

  caf::invoke_message_result consume(caf::mailbox_element& what) override {
    auto here = acting{meter_->actor_id()};
    meter_->began(meter_->type_of(message_key(what), [&] { return message_name(what); }));
    try {
      auto result = Base::consume(what);
      meter_->ended(result != caf::invoke_message_result::skipped);
      return result;
    } catch (const std::exception& e) {
      // CAF ends the actor after this; its supervisor acts on that.
      log_cause(e);
      throw;
    }
  }

  // The actor's body may work for long, such as loading networks.
  void initialize() override {
    auto here = acting{meter_->actor_id()};
    meter_->introduced(this->name(), this->getf(caf::abstract_actor::is_detached_flag));
    meter_->began(nullptr);
    Base::initialize();
    meter_->ended(false);
  }

  bool cleanup(caf::error&& reason, caf::execution_unit* host) override {
    unlist_meter(*meter_, reason ? this->system().render(reason) : std::string{});
    return Base::cleanup(std::move(reason), host);
  }

  /// `actors::guard`, and notes the error.
  template <class F>
  auto guarded(F&& f) {
    auto result = guard(std::forward<F>(f));
    if (!result)
      note(result.error());
    return result;
  }

  /// Notes an error that came another way.
  void note(const caf::error& x) { meter_->failed(noted(x)); }

  /// Says what it works for, such as a job's id, to whoever looks at the actors.
  void works_for(std::string about) { meter_->works_for(std::move(about)); }

private:
  std::shared_ptr<meter> meter_;
};

/// The actor behind a typed handle, with its state: `self` of every behaviour function.
template <class Handle, class State>
using metered_actor = caf::stateful_actor<State, metered<typename Handle::base>>;

} // namespace musetalk::actors
