#include "actors/musetalk_runner.hpp"

#include <caf/send.hpp>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace musetalk::actors {

namespace {

using pipeline::job_stage;
using pipeline::job_state;
using self_pointer = musetalk_runner_pointer;
using link = musetalk_runner_state::link;
using batch = musetalk_runner_state::batch;
using latents = std::vector<pipeline::latent>;

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

job_id id_of(self_pointer self) {
  return {self->state.job.job_id};
}

// -- telling the registry -------------------------------------------------------

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

void tell_outcome(self_pointer self) {
  auto& state = self->state;
  state.times.enter(job_stage::none, self->clock().now());
  state.ending->timings_ms = state.times.timings_ms();
  self->send(state.parts.registry, atom::outcome_v, *state.ending);
  self->quit();
}

// -- the ways out ---------------------------------------------------------------

// The outcome is told when nothing of the job is with a worker any more and staging is gone.
void end_when_idle(self_pointer self) {
  auto& state = self->state;
  auto out = state.preprocessor.out + state.gpu.out + state.storage.out;
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

void let_go(self_pointer self, job_state end, errc code, std::string detail) {
  auto& state = self->state;
  if (state.ending)
    return;
  auto& ending = state.ending.emplace();
  ending.job_id = state.job.job_id;
  ending.state = end;
  if (end == job_state::failed)
    ending.failure = {code, std::move(detail)};
  self->send(state.parts.preprocessor, atom::close_v, id_of(self));
  if (state.parts.gpu)
    self->send(state.parts.gpu, atom::cancel_v, id_of(self));
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
  // A version that is being published cannot be called back; it may still fail.
  if (self->state.stage != job_stage::publish)
    let_go(self, job_state::cancelled, errc::cancelled, {});
  end_when_idle(self);
}

void worker_down(self_pointer self, const caf::actor_addr& source) {
  auto& state = self->state;
  auto down = [&](link& x, const auto& handle) {
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

// The service stops: nobody is told anything, and the job stays in the catalog as it is.
void abandon(self_pointer self, caf::error reason) {
  auto& parts = self->state.parts;
  self->send(parts.preprocessor, atom::close_v, id_of(self));
  if (parts.gpu)
    self->send(parts.gpu, atom::cancel_v, id_of(self));
  caf::anon_send(parts.storage, atom::discard_v, id_of(self));
  self->quit(std::move(reason));
}

// -- asking a worker --------------------------------------------------------------

// Asks with a time-out that never passes the job's deadline, and counts what is out. `on_answer`
// and `on_error` are not called once the job lets go.
template <class T, class Handle, class F, class G, class... Ts>
void ask_or(self_pointer self, link musetalk_runner_state::*worker, const Handle& whom, F on_answer,
            G on_error, Ts&&... xs) {
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
void ask(self_pointer self, link musetalk_runner_state::*worker, const Handle& whom, F on_answer,
         Ts&&... xs) {
  ask_or<T>(
      self, worker, whom, std::move(on_answer), [=](caf::error& x) { fail(self, x); },
      std::forward<Ts>(xs)...);
}

constexpr auto to_preprocessor = &musetalk_runner_state::preprocessor;
constexpr auto to_gpu = &musetalk_runner_state::gpu;
constexpr auto to_storage = &musetalk_runner_state::storage;

// -- publish, verify ----------------------------------------------------------------

void publish(self_pointer self) {
  enter(self, job_stage::publish);
  ask<pipeline::avatar_version>(
      self, to_storage, self->state.parts.storage,
      [=](pipeline::avatar_version& version) {
        auto& ending = self->state.ending.emplace();
        ending.job_id = self->state.job.job_id;
        ending.state = job_state::completed;
        ending.version = version;
      },
      atom::publish_v, id_of(self));
}

void verify(self_pointer self) {
  enter(self, job_stage::verify);
  ask<int64_t>(
      self, to_storage, self->state.parts.storage,
      [=](int64_t& frames) {
        auto expected = self->state.config.mock ? 0 : self->state.frames_done;
        if (frames != expected)
          fail(self, errc::internal,
               "The avatar has " + std::to_string(frames) + " frames, but " +
                   std::to_string(expected) + " were prepared.");
        else
          publish(self);
      },
      atom::verify_v, id_of(self));
}

// -- the streamed stage ---------------------------------------------------------------

void pump(self_pointer self);

void write(self_pointer self, const batch& x) {
  self->state.writing = true;
  self->state.times.out("write", self->clock().now());
  ask<int64_t>(
      self, to_storage, self->state.parts.storage,
      [=](int64_t& frames) {
        auto& state = self->state;
        state.writing = false;
        state.times.back("write", self->clock().now());
        state.batches.pop_front();
        state.frames_done = frames;
        tell_progress(self);
        pump(self);
      },
      atom::write_v, id_of(self), x.prepared, *x.latents);
}

void encoded(self_pointer self, int64_t number, latents& answer) {
  auto& batches = self->state.batches;
  self->state.times.back("encode", self->clock().now());
  auto found = std::find_if(batches.begin(), batches.end(),
                            [=](const batch& x) { return x.number == number; });
  if (answer.size() != found->prepared.frames.size()) {
    fail(self, errc::device_failed, "The device gave another count of results than was asked.");
    return;
  }
  found->latents = std::move(answer);
  pump(self);
}

void encode_failed(self_pointer self, int64_t number, const caf::error& why) {
  self->state.times.back("encode", self->clock().now());
  if (code_of(why) != errc::device_busy) {
    fail(self, why);
    return;
  }
  // Others fill the device's queue: this batch waits here and holds its credit.
  for (auto& x : self->state.batches)
    if (x.number == number)
      x.encoding = false;
  self->delayed_send(self, self->state.config.busy_retry, atom::next_v);
}

void encode(self_pointer self, batch& x) {
  x.encoding = true;
  auto crops = std::vector<pipeline::image>{};
  crops.reserve(x.prepared.frames.size());
  for (const auto& frame : x.prepared.frames)
    crops.push_back(frame.crop);
  self->state.times.out("encode", self->clock().now());
  ask_or<latents>(
      self, to_gpu, self->state.parts.gpu,
      [=, number = x.number](latents& answer) { encoded(self, number, answer); },
      [=, number = x.number](caf::error& why) { encode_failed(self, number, why); }, atom::encode_v,
      id_of(self), work_class::create, std::move(crops));
}

void pulled(self_pointer self, pipeline::prepared_batch& x) {
  auto& state = self->state;
  state.pulling = false;
  state.times.back("pull", self->clock().now());
  state.last_pulled = x.last;
  if (state.config.mock) {
    state.frames_done = x.frames_decoded;
    tell_progress(self);
  } else if (!x.frames.empty()) {
    state.batches.push_back({state.batches_pulled++, std::move(x), false, std::nullopt});
  }
  pump(self);
}

void pull(self_pointer self) {
  self->state.pulling = true;
  self->state.times.out("pull", self->clock().now());
  ask<pipeline::prepared_batch>(
      self, to_preprocessor, self->state.parts.preprocessor,
      [=](pipeline::prepared_batch& x) { pulled(self, x); }, atom::pull_v, id_of(self),
      self->state.config.batch_frames);
}

// Moves every batch as far as it can go. Called whenever anything came back.
void pump(self_pointer self) {
  auto& state = self->state;
  auto streamed = state.stage == job_stage::prepare || state.stage == job_stage::convert;
  if (state.ending || !streamed)
    return;
  auto& batches = state.batches;
  if (state.last_pulled && batches.empty()) {
    verify(self);
    return;
  }
  // Only the head is written, one write at a time: the order of the clip is the order on disk.
  if (!state.writing && !batches.empty() && batches.front().latents)
    write(self, batches.front());
  for (auto& x : batches)
    if (!x.encoding && !x.latents && !state.ending)
      encode(self, x);
  auto out = std::ssize(batches) + (state.pulling ? 1 : 0);
  if (!state.pulling && !state.last_pulled && !state.ending && out < state.config.credit_batches)
    pull(self);
}

// -- from the start to the stream -------------------------------------------------------

void open_clip(self_pointer self) {
  ask<pipeline::media_info>(
      self, to_preprocessor, self->state.parts.preprocessor,
      [=](pipeline::media_info&) { pump(self); }, atom::open_v, id_of(self), self->state.clip);
}

void open_staging(self_pointer self, const pipeline::media_info& info) {
  auto& state = self->state;
  const auto& job = state.job;
  const auto& request = job.request;
  state.frames_total = info.predicted_frames;
  enter(self, state.config.mock ? job_stage::convert : job_stage::prepare);
  auto plan = pipeline::version_plan{job.job_id,         request.avatar_id,    request.tutor_id,
                                     request.apply_blur, job.engine,           job.weights,
                                     request.video_name, request.video_sha256, info};
  ask<std::string>(
      self, to_storage, state.parts.storage,
      [=](std::string& folder) {
        self->state.clip.video_path = std::filesystem::path{folder} / "video.mp4";
        open_clip(self);
      },
      atom::open_v, plan);
}

void validate(self_pointer self, std::filesystem::path source) {
  auto& state = self->state;
  state.clip.source = std::move(source);
  ask<pipeline::media_info>(
      self, to_preprocessor, state.parts.preprocessor,
      [=](pipeline::media_info& info) { open_staging(self, info); }, atom::validate_v, id_of(self),
      state.clip);
}

// A path below a root may have changed since the job was accepted: it is resolved and hashed again.
void resolve(self_pointer self) {
  ask<pipeline::spooled_file>(
      self, to_preprocessor, self->state.parts.preprocessor,
      [=](pipeline::spooled_file& file) {
        const auto& accepted = self->state.job.request.video_sha256;
        if (!accepted.empty() && accepted != file.sha256)
          fail(self, errc::video_path_not_found,
               "The file at video_path is not the one that was there when the job was accepted.");
        else
          validate(self, file.path);
      },
      atom::resolve_v, self->state.job.request.video_path);
}

void start(self_pointer self) {
  auto& state = self->state;
  const auto& request = state.job.request;
  state.clip.apply_blur = request.apply_blur;
  state.clip.convert_only = state.config.mock;
  enter(self, job_stage::validate);
  if (request.upload_id.empty())
    resolve(self);
  else
    validate(self, state.config.layout.upload(request.upload_id) / "source");
}

} // namespace

musetalk_runner_actor::behavior_type musetalk_runner(musetalk_runner_pointer self,
                                                     const musetalk_runner_config& config,
                                                     const musetalk_runner_parts& parts,
                                                     const pipeline::job& job) {
  auto& state = self->state;
  state.config = config;
  state.config.credit_batches = std::max(config.credit_batches, 1);
  state.config.batch_frames = std::max(config.batch_frames, 1);
  state.parts = parts;
  state.job = job;
  state.deadline = self->clock().now() + config.job_timeout;
  self->monitor(parts.preprocessor);
  self->monitor(parts.storage);
  self->monitor(parts.registry);
  if (parts.gpu)
    self->monitor(parts.gpu);
  self->set_down_handler([=](caf::down_msg& x) {
    if (x.source == self->state.parts.registry.address())
      abandon(self, x.reason);
    else
      worker_down(self, x.source);
  });
  self->set_exit_handler([=](caf::exit_msg& x) { abandon(self, x.reason); });
  return {
      [=](atom::start) { start(self); },
      [=](atom::cancel) { cancel(self); },
      [=](atom::next) { pump(self); },
  };
}

} // namespace musetalk::actors
