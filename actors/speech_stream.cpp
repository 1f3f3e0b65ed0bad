#include "actors/speech_steps.hpp"

#include <iterator>
#include <optional>

namespace musetalk::actors::speech_steps {

namespace {

using pipeline::job_stage;
using batch = speech_runner_state::batch;
using faces = std::vector<pipeline::image>;

void write(self_pointer self, const batch& x) {
  self->state.writing = true;
  self->state.times.out("film", self->clock().now());
  ask<int64_t>(
      self, to_maker, self->state.parts.maker,
      [=](int64_t& frames) {
        auto& state = self->state;
        state.writing = false;
        state.times.back("film", self->clock().now());
        state.batches.pop_front();
        state.frames_done = frames;
        tell_progress(self);
        pump(self);
      },
      atom::write_v, id_of(self), x.frames, *x.faces);
}

batch& find_batch(self_pointer self, int64_t number) {
  auto& batches = self->state.batches;
  return *std::find_if(batches.begin(), batches.end(),
                       [=](const batch& x) { return x.number == number; });
}

void generated(self_pointer self, int64_t number, faces& answer) {
  self->state.times.back("generate", self->clock().now());
  auto& x = find_batch(self, number);
  if (answer.size() != faces_in(x.frames)) {
    fail(self, errc::device_failed, "The device gave another count of results than was asked.");
    return;
  }
  x.faces = std::move(answer);
  pump(self);
}

void generate_failed(self_pointer self, int64_t number, const caf::error& why) {
  self->state.times.back("generate", self->clock().now());
  if (code_of(why) != errc::device_busy) {
    fail(self, why);
    return;
  }
  // Others fill the device's queue: this batch waits here and holds its credit.
  find_batch(self, number).generating = false;
  self->delayed_send(self, self->state.config.busy_retry, atom::next_v);
}

void generate(self_pointer self, batch& x) {
  auto requests = std::vector<pipeline::lip_request>{};
  for (const auto& frame : x.frames.frames)
    if (frame.face)
      requests.push_back(frame.lips);
  if (requests.empty()) {
    x.faces.emplace();
    return;
  }
  x.generating = true;
  self->state.times.out("generate", self->clock().now());
  ask_or<faces>(
      self, to_gpu, self->state.parts.gpu,
      [=, number = x.number](faces& answer) { generated(self, number, answer); },
      [=, number = x.number](caf::error& why) { generate_failed(self, number, why); },
      atom::generate_v, id_of(self), work_class::speak, std::move(requests));
}

void pull(self_pointer self) {
  auto& state = self->state;
  state.pulling = true;
  state.times.out("read", self->clock().now());
  ask<pipeline::speech_batch>(
      self, to_reader, state.parts.reader,
      [=](pipeline::speech_batch& x) {
        auto& now = self->state;
        now.pulling = false;
        now.times.back("read", self->clock().now());
        now.last_pulled = x.last;
        if (!x.frames.empty())
          now.batches.push_back({now.batches_pulled++, std::move(x), false, std::nullopt});
        pump(self);
      },
      atom::pull_v, id_of(self), state.config.batch_frames);
}

} // namespace

void pump(self_pointer self) {
  auto& state = self->state;
  if (state.ending || state.stage != job_stage::speak)
    return;
  for (auto& x : state.batches)
    if (!x.faces && !x.generating)
      generate(self, x);
  if (!state.writing && !state.batches.empty() && state.batches.front().faces)
    write(self, state.batches.front());
  if (!state.pulling && !state.last_pulled &&
      std::ssize(state.batches) < state.config.credit_batches)
    pull(self);
  if (state.last_pulled && state.batches.empty())
    verify(self);
}

} // namespace musetalk::actors::speech_steps
