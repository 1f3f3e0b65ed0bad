#include "actors/import_runner.hpp"

#include <caf/send.hpp>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace musetalk::actors {

namespace {

using self_pointer = import_runner_pointer;
using pipeline::job_stage;
using pipeline::job_state;

void tell_progress(self_pointer self) {
  const auto& state = self->state;
  auto total = state.archive ? state.archive->facts().frames : 0;
  auto share = total > 0 ? static_cast<double>(state.frames_done) / static_cast<double>(total) : 0.;
  auto fraction = state.stage == job_stage::validate  ? 0.
                  : state.stage == job_stage::prepare ? 0.05 + 0.85 * share
                  : state.stage == job_stage::verify  ? 0.9
                                                      : 0.95;
  self->send(
      state.parts.registry, atom::progress_v,
      pipeline::job_progress{state.job.job_id, state.stage, state.frames_done, total, fraction});
}

void enter(self_pointer self, job_stage stage) {
  self->state.times.enter(stage, self->clock().now());
  self->state.stage = stage;
  tell_progress(self);
}

void tell_outcome(self_pointer self, job_outcome x) {
  auto& state = self->state;
  state.times.enter(job_stage::none, self->clock().now());
  x.job_id = state.job.job_id;
  x.timings_ms = state.times.timings_ms();
  self->send(state.parts.registry, atom::outcome_v, std::move(x));
  self->quit();
}

/// Staging goes first; the STORAGE WRITER handles what it was asked before that.
void let_go(self_pointer self, job_state end, pipeline::job_failure failure = {}) {
  auto& state = self->state;
  if (std::exchange(state.ended, true))
    return;
  auto outcome = job_outcome{};
  outcome.state = end;
  outcome.failure = std::move(failure);
  self->request(state.parts.storage, state.config.step_timeout, atom::discard_v,
                job_id{state.job.job_id})
      .then([=](job_id&) { tell_outcome(self, outcome); },
            [=](caf::error& why) {
              spdlog::warn("job {}: staging was not discarded: {}", self->state.job.job_id,
                           detail_of(why));
              tell_outcome(self, outcome);
            });
}

void fail(self_pointer self, const caf::error& why) {
  self->note(why);
  let_go(self, job_state::failed, {code_of(why), detail_of(why)});
}

/// Asks the STORAGE WRITER; an answer after the end means nothing.
template <class Answer, class F, class... Ts>
void ask(self_pointer self, F&& then, Ts&&... xs) {
  self->request(self->state.parts.storage, self->state.config.step_timeout, std::forward<Ts>(xs)...)
      .then(
          [=](Answer& x) {
            if (!self->state.ended)
              then(x);
          },
          [=](const caf::error& why) { fail(self, why); });
}

void publish(self_pointer self) {
  enter(self, job_stage::publish);
  ask<pipeline::avatar_version>(
      self,
      [=](pipeline::avatar_version& version) {
        self->state.ended = true;
        auto outcome = job_outcome{};
        outcome.state = job_state::completed;
        outcome.version = version;
        tell_outcome(self, std::move(outcome));
      },
      atom::publish_v, job_id{self->state.job.job_id});
}

void verify(self_pointer self) {
  enter(self, job_stage::verify);
  ask<int64_t>(
      self, [=](int64_t&) { publish(self); }, atom::verify_v, job_id{self->state.job.job_id});
}

void write(self_pointer self) {
  auto& state = self->state;
  auto batch = std::move(*state.read);
  state.read.reset();
  state.writing = true;
  auto last = batch.prepared.last;
  ask<int64_t>(
      self,
      [=](int64_t& frames) {
        self->state.writing = false;
        self->state.frames_done = frames;
        tell_progress(self);
        if (last)
          verify(self);
        else
          self->send(self, atom::next_v);
      },
      atom::write_v, job_id{state.job.job_id}, std::move(batch.prepared), std::move(batch.latents));
  if (!last)
    self->send(self, atom::next_v);
}

/// Reads the next batch unless one waits, and hands it on unless one is being written.
void pump(self_pointer self) {
  auto& state = self->state;
  if (state.ended || state.stage != job_stage::prepare)
    return;
  if (!state.read) {
    auto batch = self->guarded([&] { return state.archive->next(state.config.batch_frames); });
    if (!batch) {
      fail(self, batch.error());
      return;
    }
    state.read = std::move(*batch);
  }
  if (!state.writing)
    write(self);
}

pipeline::version_plan plan_of(const import_runner_state& state) {
  const auto& facts = state.archive->facts();
  const auto& request = state.job.request;
  auto result = pipeline::version_plan{};
  result.job_id = state.job.job_id;
  result.avatar_id = request.avatar_id;
  result.tutor_id = request.tutor_id.empty() ? facts.tutor_id : request.tutor_id;
  result.apply_blur = facts.apply_blur;
  result.engine = facts.frames > 0 ? "imported" : "mock";
  result.weights = facts.weights;
  result.video_name = request.video_name;
  result.video_sha256 = facts.video_sha256;
  result.source.width = facts.width;
  result.source.height = facts.height;
  result.source.duration_s = static_cast<double>(facts.frames) / pipeline::avatar_frames_per_second;
  result.source.bytes = request.video_bytes;
  result.faces = state.config.faces;
  return result;
}

void start(self_pointer self) {
  auto& state = self->state;
  enter(self, job_stage::validate);
  auto folder = state.config.layout.upload(state.job.request.upload_id);
  auto opened =
      self->guarded([&] { state.archive.emplace(folder / "source", folder, state.config.limits); });
  if (!opened) {
    fail(self, opened.error());
    return;
  }
  ask<std::string>(
      self,
      [=](std::string& staging) {
        auto& archive = *self->state.archive;
        auto unpacked = self->guarded(
            [&] { archive.unpack_video(std::filesystem::path{staging} / "video.mp4"); });
        if (!unpacked) {
          fail(self, unpacked.error());
          return;
        }
        enter(self, job_stage::prepare);
        if (archive.facts().frames == 0)
          verify(self);
        else
          self->send(self, atom::next_v);
      },
      atom::open_v, plan_of(state));
}

} // namespace

musetalk_runner_actor::behavior_type import_runner(import_runner_pointer self,
                                                   const import_runner_config& config,
                                                   const import_runner_parts& parts,
                                                   const pipeline::job& job) {
  auto& state = self->state;
  state.config = config;
  state.config.batch_frames = std::max(config.batch_frames, 1);
  state.parts = parts;
  state.job = job;
  // The service ends: the next start takes the job up again.
  auto abandon = [=](caf::error reason) {
    caf::anon_send(self->state.parts.storage, atom::discard_v, job_id{self->state.job.job_id});
    self->quit(std::move(reason));
  };
  self->monitor(parts.registry);
  self->set_down_handler([=](caf::down_msg& x) { abandon(x.reason); });
  self->set_exit_handler([=](caf::exit_msg& x) { abandon(x.reason); });
  return {
      [=](atom::start) { start(self); },
      [=](atom::cancel) {
        // A version that is being published cannot be called back.
        if (self->state.stage != job_stage::publish)
          let_go(self, job_state::cancelled);
      },
      [=](atom::next) { pump(self); },
  };
}

} // namespace musetalk::actors
