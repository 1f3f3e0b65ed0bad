#pragma once

#include "actors/errors.hpp"

#include <caf/error.hpp>
#include <caf/invoke_message_result.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/stateful_actor.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace musetalk::actors {

/// What one actor has done so far, as a copy that any thread may keep.
struct meter_reading {
  uint64_t actor_id = 0;
  std::string name;
  uint64_t depth = 0;      ///< Messages in the mailbox, the current one included.
  uint64_t max_depth = 0;  ///< Since the actor's birth.
  uint64_t handled = 0;    ///< Messages done, requests and their answers alike.
  int64_t busy_us = 0;     ///< Time in handlers; the current one not included.
  int64_t current_us = -1; ///< For how long the current message is handled; negative when idle.
  std::string last_error;  ///< Code and detail; empty when there was none.
};

/// Counts one actor's work. Written by the actor and its senders, read by anyone, without a
/// message.
class meter {
public:
  using clock = std::chrono::steady_clock;

  explicit meter(uint64_t actor_id) : actor_id_(actor_id) {
    // nop
  }

  // -- written by the actor's life ---------------------------------------------
  void named(std::string name);
  void arrived() noexcept;
  void began() noexcept;
  /// @param counted False when the message stays in the mailbox.
  void ended(bool counted) noexcept;
  void failed(const caf::error& x);

  // -- read by anyone -----------------------------------------------------------
  meter_reading read() const;
  uint64_t actor_id() const noexcept { return actor_id_; }

private:
  const uint64_t actor_id_;
  std::atomic<uint64_t> arrived_ = 0;
  std::atomic<uint64_t> handled_ = 0;
  std::atomic<uint64_t> max_depth_ = 0;
  std::atomic<int64_t> busy_ns_ = 0;
  std::atomic<int64_t> began_ns_ = 0; ///< 0 while idle.
  mutable std::mutex mutex_;          ///< Guards the texts.
  std::string name_;
  std::string last_error_;
};

/// Makes the meter of a new actor and lists it.
std::shared_ptr<meter> make_meter(uint64_t actor_id);

/// Takes the meter of an actor that has ended from the list. Senders may still hold the actor.
void unlist_meter(const meter& x);

/// Readings of all living actors of the process, by actor id: for the console and the metrics.
std::vector<meter_reading> read_meters();

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
    meter_->began();
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
    meter_->named(this->name());
    meter_->began();
    Base::initialize();
    meter_->ended(false);
  }

  bool cleanup(caf::error&& reason, caf::execution_unit* host) override {
    unlist_meter(*meter_);
    return Base::cleanup(std::move(reason), host);
  }

  /// `actors::guard`, and notes the error.
  template <class F>
  auto guarded(F&& f) {
    auto result = guard(std::forward<F>(f));
    if (!result)
      meter_->failed(result.error());
    return result;
  }

  /// Notes an error that came another way.
  void note(const caf::error& x) { meter_->failed(x); }

private:
  std::shared_ptr<meter> meter_;
};

/// The actor behind a typed handle, with its state: `self` of every behaviour function.
template <class Handle, class State>
using metered_actor = caf::stateful_actor<State, metered<typename Handle::base>>;

} // namespace musetalk::actors
