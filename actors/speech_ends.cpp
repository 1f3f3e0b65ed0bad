#include "actors/speech_steps.hpp"

#include <caf/send.hpp>

#include <spdlog/spdlog.h>

namespace musetalk::actors::speech_steps {

namespace {

using pipeline::job_stage;
using pipeline::job_state;

void tell_outcome(self_pointer self) {
  auto& state = self->state;
  state.times.enter(job_stage::none, self->clock().now());
  state.ending->timings_ms = state.times.timings_ms();
  self->send(state.parts.registry, atom::outcome_v, *state.ending);
  self->quit();
}

void let_go(self_pointer self, job_state end, errc code, std::string detail) {
  auto& state = self->state;
  if (state.ending)
    return;
  auto& ending = state.ending.emplace();
  ending.job_id = state.job.job_id;
  ending.state = end;
  if (end == job_state::failed)
    ending.failure = {code, std::move(detail)};
  self->send(state.parts.gpu, atom::cancel_v, id_of(self));
}

std::string seconds_text(std::chrono::milliseconds x) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(x).count()) + " s";
}

} // namespace

void tell_progress(self_pointer self) {
  auto& state = self->state;
  constexpr auto streamed_from = 0.05;
  constexpr auto streamed_to = 0.95;
  auto now = 0.;
  if (state.stage == job_stage::speak)
    now = streamed_from + (streamed_to - streamed_from) * static_cast<double>(state.frames_done) /
                              static_cast<double>(std::max<int64_t>(state.plan.frames, 1));
  else if (state.stage != job_stage::validate)
    now = streamed_to;
  state.fraction = std::max(state.fraction, now);
  self->send(state.parts.registry, atom::progress_v,
             pipeline::job_progress{state.job.job_id, state.stage, state.frames_done,
                                    state.plan.frames, state.fraction});
}

void enter(self_pointer self, job_stage stage) {
  self->state.times.enter(stage, self->clock().now());
  self->state.stage = stage;
  tell_progress(self);
}

void fail(self_pointer self, errc code, std::string detail) {
  auto end = self->state.cancel_wanted ? job_state::cancelled : job_state::failed;
  let_go(self, end, code, std::move(detail));
}

void fail(self_pointer self, const caf::error& why) {
  const auto& config = self->state.config;
  if (code_of(why) != errc::timeout)
    fail(self, code_of(why), detail_of(why));
  else if (self->clock().now() >= self->state.deadline)
    fail(self, errc::timeout,
         "The job ran longer than its limit of " + seconds_text(config.job_timeout) + ".");
  else
    fail(self, errc::timeout,
         "A step of the job did not answer within " + seconds_text(config.step_timeout) + ".");
}

void end_when_idle(self_pointer self) {
  auto& state = self->state;
  auto out =
      state.resolver.out + state.reader.out + state.maker.out + state.gpu.out + state.storage.out;
  if (!state.ending || out > 0 || state.discarding)
    return;
  if (state.ending->state == job_state::completed || state.storage.down) {
    // A storage writer that ended took its stagings with it.
    tell_outcome(self);
    return;
  }
  state.discarding = true;
  self->request(state.parts.storage, state.config.step_timeout, atom::discard_v, id_of(self))
      .then([=](job_id&) { tell_outcome(self); },
            [=](caf::error& x) {
              spdlog::warn("job {}: staging was not discarded: {}", self->state.job.job_id,
                           detail_of(x));
              tell_outcome(self);
            });
}

void cancel(self_pointer self) {
  self->state.cancel_wanted = true;
  // A video that is being published cannot be called back; it may still fail.
  if (self->state.stage != job_stage::publish)
    let_go(self, job_state::cancelled, errc::cancelled, {});
  end_when_idle(self);
}

void worker_down(self_pointer self, const caf::actor_addr& source) {
  auto& state = self->state;
  auto down = [&](speech_runner_state::link& x, const auto& handle) {
    if (source == handle.address())
      x = {0, true};
  };
  down(state.resolver, state.parts.resolver);
  down(state.reader, state.parts.reader);
  down(state.maker, state.parts.maker);
  down(state.gpu, state.parts.gpu);
  down(state.storage, state.parts.storage);
  fail(self, errc::worker_died, "A worker of the job ended before it answered.");
  end_when_idle(self);
}

void abandon(self_pointer self, const caf::error& reason) {
  const auto& parts = self->state.parts;
  self->send(parts.gpu, atom::cancel_v, id_of(self));
  caf::anon_send(parts.storage, atom::discard_v, id_of(self));
  self->quit(reason);
}

} // namespace musetalk::actors::speech_steps
