#pragma once

// What the runner of a job that speaks does, in the parts that its files share. For
// `speech_runner.cpp` and its neighbours `speech_ends.cpp` and `speech_stream.cpp` alone.

#include "actors/speech_runner.hpp"

#include <caf/sec.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace musetalk::actors::speech_steps {

using self_pointer = speech_runner_pointer;
using worker_link = speech_runner_state::link speech_runner_state::*;

inline job_id id_of(self_pointer self) {
  return {self->state.job.job_id};
}

// -- speech_ends.cpp: telling the registry, and the ways out ------------------------
void tell_progress(self_pointer self);

/// Ends the stage before and begins another.
void enter(self_pointer self, pipeline::job_stage stage);

/// Lets go of everything; the first reason counts.
void fail(self_pointer self, errc code, std::string detail);
void fail(self_pointer self, const caf::error& why);
void cancel(self_pointer self);
void worker_down(self_pointer self, const caf::actor_addr& source);

/// Tells the outcome once nothing of the job is with a worker any more and staging is gone.
void end_when_idle(self_pointer self);

/// The service stops: nobody is told anything, and the job stays in the catalog as it is.
void abandon(self_pointer self, const caf::error& reason);

// -- speech_stream.cpp: the streamed stage --------------------------------------------
/// Moves every batch as far as it can go. Called whenever anything came back.
void pump(self_pointer self);

// -- speech_runner.cpp: before and after the stream -------------------------------------
void verify(self_pointer self);

// -- asking a worker ----------------------------------------------------------------
/// Asks with a time-out that never passes the job's deadline, and counts what is out. The handlers
/// are not called once the job lets go.
template <class T, class Handle, class F, class G, class... Ts>
void ask_or(self_pointer self, worker_link worker, const Handle& whom, F on_answer, G on_error,
            Ts&&... xs) {
  auto& state = self->state;
  auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(state.deadline - self->clock().now());
  if (left.count() <= 0) {
    fail(self, caf::make_error(caf::sec::request_timeout));
    return;
  }
  ++(state.*worker).out;
  auto back = [=] {
    auto& x = self->state.*worker;
    x.out -= x.down ? 0 : 1;
    return !self->state.ending;
  };
  self->request(whom, std::min(left, state.config.step_timeout), std::forward<Ts>(xs)...)
      .then(
          [=](T& x) {
            if (back())
              on_answer(x);
            end_when_idle(self);
          },
          [=](caf::error& x) {
            if (back())
              on_error(x);
            end_when_idle(self);
          });
}

template <class T, class Handle, class F, class... Ts>
void ask(self_pointer self, worker_link worker, const Handle& whom, F on_answer, Ts&&... xs) {
  ask_or<T>(
      self, worker, whom, std::move(on_answer), [=](caf::error& x) { fail(self, x); },
      std::forward<Ts>(xs)...);
}

inline constexpr worker_link to_resolver = &speech_runner_state::resolver;
inline constexpr worker_link to_reader = &speech_runner_state::reader;
inline constexpr worker_link to_maker = &speech_runner_state::maker;
inline constexpr worker_link to_gpu = &speech_runner_state::gpu;
inline constexpr worker_link to_storage = &speech_runner_state::storage;

} // namespace musetalk::actors::speech_steps
