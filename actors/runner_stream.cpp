#include "actors/runner_steps.hpp"

#include <iterator>
#include <optional>

namespace musetalk::actors::runner_steps {

namespace {

using pipeline::job_stage;
using batch = musetalk_runner_state::batch;
using latents = std::vector<pipeline::latent>;

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

} // namespace

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

} // namespace musetalk::actors::runner_steps
