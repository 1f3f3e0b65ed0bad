#include "actors/figures.hpp"
#include "actors/runner_steps.hpp"

#include <caf/send.hpp>

#include <spdlog/spdlog.h>

namespace musetalk::actors::runner_steps {

namespace {

using pipeline::job_stage;
using pipeline::job_state;

/// Where a stage begins and ends in the fraction of the whole job.
struct share {
  double from;
  double to;
};

share share_of(job_stage x) {
  switch (x) {
  case job_stage::validate:
    return {0., 0.05};
  case job_stage::convert:
  case job_stage::prepare:
    return {0.05, 0.9};
  case job_stage::verify:
    return {0.9, 0.95};
  case job_stage::publish:
    return {0.95, 1.};
  default:
    return {0., 0.};
  }
}

std::string seconds_text(std::chrono::milliseconds x) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(x).count()) + " s";
}

void tell_outcome(self_pointer self) {
  auto& state = self->state;
  state.times.enter(job_stage::none, self->clock().now());
  state.ending->timings_ms = state.times.timings_ms();
  for (const auto& [stage, ms] : state.ending->timings_ms)
    note_stage(stage, static_cast<double>(ms) / 1000.);
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
  state.stop.request_stop();
  self->send(state.parts.preprocessor, atom::close_v, id_of(self));
  if (state.parts.gpu)
    self->send(state.parts.gpu, atom::cancel_v, id_of(self));
}

} // namespace

void tell_progress(self_pointer self) {
  auto& state = self->state;
  auto [from, to] = share_of(state.stage);
  auto done = state.frames_total > 0 ? std::min(1., static_cast<double>(state.frames_done) /
                                                        static_cast<double>(state.frames_total))
                                     : 0.;
  auto streamed = state.stage == job_stage::prepare || state.stage == job_stage::convert;
  state.fraction = std::max(state.fraction, streamed ? from + done * (to - from) : from);
  self->send(state.parts.registry, atom::progress_v,
             pipeline::job_progress{state.job.job_id, state.stage, state.frames_done,
                                    state.frames_total, state.fraction});
}

void enter(self_pointer self, job_stage stage) {
  self->state.times.enter(stage, self->clock().now());
  self->state.stage = stage;
  tell_progress(self);
}

void end_when_idle(self_pointer self) {
  auto& state = self->state;
  // The device has nothing but copies of pictures: what it does to its end is of no harm.
  auto out = state.preprocessor.out + state.storage.out;
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

void fail(self_pointer self, errc code, std::string detail) {
  if (self->state.cancel_wanted)
    let_go(self, job_state::cancelled, errc::cancelled, {});
  else
    let_go(self, job_state::failed, code, std::move(detail));
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

void cancel(self_pointer self) {
  self->state.cancel_wanted = true;
  self->state.stop.request_stop();
  // A version that is being published may be past the point where it can be called back.
  if (self->state.stage != job_stage::publish)
    let_go(self, job_state::cancelled, errc::cancelled, {});
  end_when_idle(self);
}

void worker_down(self_pointer self, const caf::actor_addr& source) {
  auto& state = self->state;
  auto down = [&](musetalk_runner_state::link& x, const auto& handle) {
    if (handle && source == handle.address())
      x = {0, true};
  };
  down(state.preprocessor, state.parts.preprocessor);
  down(state.gpu, state.parts.gpu);
  down(state.storage, state.parts.storage);
  // Everything is written already: the others are not needed any more.
  auto written = state.stage == job_stage::verify || state.stage == job_stage::publish;
  if (written && !state.storage.down)
    return;
  fail(self, errc::worker_died, "A worker of the job ended before it answered.");
  end_when_idle(self);
}

void abandon(self_pointer self, caf::error reason) {
  auto& parts = self->state.parts;
  self->state.stop.request_stop();
  self->send(parts.preprocessor, atom::close_v, id_of(self));
  if (parts.gpu)
    self->send(parts.gpu, atom::cancel_v, id_of(self));
  caf::anon_send(parts.storage, atom::discard_v, id_of(self));
  self->quit(std::move(reason));
}

} // namespace musetalk::actors::runner_steps
