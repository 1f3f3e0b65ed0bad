#pragma once

// What an actor does, readable by anyone without asking it: an actor that is stuck shows as stuck.
// Nothing here knows CAF.

#include "actors/duration_histogram.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace musetalk::actors {

/// Times of arrival of what waits in a mailbox. Senders write, any thread reads. Exact for the
/// newest 64 messages; of older ones each 64th, then each 4,096th is known.
class arrival_times {
public:
  /// @param sequence Counts all messages from 0.
  void note(uint64_t sequence, int64_t ns) noexcept;

  /// When the first message from `sequence` on whose time is known arrived; 0 when none is.
  /// @param arrived How many have arrived.
  int64_t at(uint64_t sequence, uint64_t arrived) const noexcept;

private:
  static constexpr size_t levels = 3;
  static constexpr size_t places = 64;

  /// The time in us with the sequence's low bits, so that a slot that is not written yet is seen as
  /// such.
  std::array<std::array<std::atomic<uint64_t>, places>, levels> times_{};
};

/// Where an actor belongs, told by whoever spawned it.
struct actor_place {
  std::string name;    ///< Empty: its kind.
  uint64_t parent = 0; ///< Actor id; 0: the service itself.
  uint32_t restarts = 0;
};

/// What an actor did with messages of one type.
struct type_reading {
  std::string type; ///< `pull`, `answer: prepared_batch`, `exit`.
  uint64_t count = 0;
  int64_t mean_ns = 0;
  int64_t p50_ns = 0;
  int64_t p99_ns = 0;
  int64_t max_ns = 0;
};

/// What one actor has done so far, as a copy that any thread may keep.
struct meter_reading {
  uint64_t actor_id = 0;
  std::string kind;      ///< What it does: `preprocessor`.
  std::string name;      ///< Which of them: `preprocessor 2`.
  std::string about;     ///< What it works for, such as a job's id.
  uint64_t parent = 0;   ///< Actor id; 0: the service itself.
  bool detached = false; ///< Has a thread of its own.
  bool started = false;  ///< Its body has run.
  uint32_t restarts = 0;
  uint64_t depth = 0;        ///< Messages in the mailbox, the current one included.
  uint64_t max_depth = 0;    ///< Since the actor's birth.
  uint64_t handled = 0;      ///< Messages done, requests and their answers alike.
  uint64_t errors = 0;       ///< That it noted.
  int64_t busy_us = 0;       ///< Time in handlers; the current one not included.
  int64_t oldest_us = 0;     ///< How long the oldest waiting message has waited at least.
  int64_t current_us = -1;   ///< For how long the current message is handled; negative when idle.
  std::string current_type;  ///< Empty when idle.
  std::string last_error;    ///< Code and detail; empty when there was none.
  int64_t last_error_us = 0; ///< Since then.
};

/// The numbers of a reading that change all the time; without the texts it is cheap.
struct meter_sample {
  uint64_t depth = 0;
  uint64_t handled = 0;
  uint64_t errors = 0;
  int64_t busy_ns = 0;    ///< The current message included.
  int64_t oldest_ns = 0;  ///< Age.
  int64_t current_ns = 0; ///< Age; 0 when idle.
};

/// Counts one actor's work. Written by the actor and its senders, read by anyone, without a
/// message.
class meter {
public:
  using clock = std::chrono::steady_clock;

  /// One type of message, as this actor knows it.
  struct type_figures {
    uint64_t key = 0;
    std::string name;
    duration_histogram times;
  };

  explicit meter(uint64_t actor_id) : actor_id_(actor_id) {
    // nop
  }

  // -- written by the actor's life ---------------------------------------------
  void introduced(std::string kind, bool detached);
  void placed(actor_place x);
  /// What it works for, to be shown beside its name.
  void works_for(std::string about);
  void arrived() noexcept;
  /// A message of that type, or none of any, is being handled.
  void began(type_figures* type) noexcept;
  /// @param counted False when the message stays in the mailbox.
  void ended(bool counted) noexcept;
  /// @param what Code and public detail.
  void failed(std::string what);
  /// The figures of a type of message. Called by the actor only; what it has no room for shares
  /// one.
  /// @param name Called the first time.
  template <class Name>
  type_figures* type_of(uint64_t key, Name&& name) {
    if (recent_ != nullptr && recent_->key == key)
      return recent_;
    auto count = type_count_.load(std::memory_order_relaxed);
    for (size_t i = 0; i < count; ++i)
      if (types_[i]->key == key)
        return recent_ = types_[i].get();
    auto full = count >= most_types;
    return recent_ = full ? types_.back().get()
                          : add_type(key, count + 1 == most_types ? "others" : name());
  }

  // -- read by anyone -----------------------------------------------------------
  meter_sample sample() const noexcept { return sample(now_ns()); }
  meter_sample sample(int64_t now_ns) const noexcept;
  meter_reading read() const;
  std::vector<type_reading> read_types() const;
  std::string name() const;
  /// The type of the current message; empty when idle.
  std::string current_type() const;
  uint64_t actor_id() const noexcept { return actor_id_; }
  static int64_t now_ns() noexcept;

private:
  static constexpr size_t most_types = 32;

  type_figures* add_type(uint64_t key, std::string name);

  const uint64_t actor_id_;
  std::atomic<uint64_t> arrived_ = 0;
  std::atomic<uint64_t> handled_ = 0;
  std::atomic<uint64_t> max_depth_ = 0;
  std::atomic<uint64_t> errors_ = 0;
  std::atomic<int64_t> busy_ns_ = 0;
  std::atomic<int64_t> began_ns_ = 0; ///< 0 while idle.
  std::atomic<type_figures*> current_ = nullptr;
  std::atomic<bool> started_ = false;
  type_figures* recent_ = nullptr; ///< Of the actor alone.
  std::atomic<size_t> type_count_ = 0;
  std::array<std::unique_ptr<type_figures>, most_types> types_; ///< Never change once counted.
  arrival_times arrivals_;
  mutable std::mutex mutex_; ///< Guards what follows.
  std::string kind_;
  actor_place place_;
  std::string about_;
  std::string last_error_;
  int64_t last_error_ns_ = 0;
  bool detached_ = false;
};

} // namespace musetalk::actors
