#include "actors/speech_runner.hpp"

#include "actors/speech_steps.hpp"
#include "pipeline/ids.hpp"

#include <caf/send.hpp>

namespace musetalk::actors {

namespace speech_steps {

namespace {

using pipeline::job_stage;
using pipeline::job_state;

pipeline::spoken_video describe(const speech_runner_state& state, const pipeline::stored_video& x) {
  const auto& job = state.job;
  auto result = pipeline::spoken_video{};
  result.video_id = x.video_id;
  result.avatar_id = x.avatar_id;
  result.version = job.version;
  result.created_us = state.parts.now_us();
  result.weights = job.weights;
  result.audio_name = job.request.video_name;
  result.audio_sha256 = job.request.video_sha256;
  result.frames = state.frames_done;
  result.fps = job.request.speech.fps;
  result.width = state.plan.width & ~1; // 4:2:0 has no odd sides
  result.height = state.plan.height & ~1;
  result.duration_s = static_cast<double>(state.frames_done) / job.request.speech.fps;
  result.bytes = x.bytes;
  result.options = job.request.speech;
  return result;
}

void publish(self_pointer self) {
  enter(self, job_stage::publish);
  ask<pipeline::stored_video>(
      self, to_storage, self->state.parts.storage,
      [=](pipeline::stored_video& x) {
        auto& state = self->state;
        auto& ending = state.ending.emplace();
        ending.job_id = state.job.job_id;
        ending.state = job_state::completed;
        ending.video = describe(state, x);
      },
      atom::publish_v, id_of(self), avatar_id{self->state.job.request.avatar_id});
}

void begin_film(self_pointer self, const std::string& folder) {
  auto& state = self->state;
  auto plan = pipeline::film_plan{};
  plan.file = std::filesystem::path{folder} / "video.mp4";
  plan.sound = state.request.sound;
  plan.picture = state.plan;
  plan.options = state.job.request.speech;
  plan.marked = state.job.weights == "synthetic";
  ask<job_id>(
      self, to_maker, state.parts.maker,
      [=](job_id&) {
        enter(self, job_stage::speak);
        pump(self);
      },
      atom::open_v, id_of(self), plan);
}

void open_speech(self_pointer self, std::filesystem::path sound) {
  auto& state = self->state;
  state.request.sound = std::move(sound);
  ask<pipeline::speech_plan>(
      self, to_reader, state.parts.reader,
      [=](pipeline::speech_plan& plan) {
        self->state.plan = plan;
        ask<std::string>(
            self, to_storage, self->state.parts.storage,
            [=](std::string& folder) { begin_film(self, folder); }, atom::open_v, id_of(self));
      },
      atom::open_v, id_of(self), state.request);
}

// A path below a root may have changed since the job was accepted: it is resolved and hashed again.
void resolve(self_pointer self) {
  const auto& wish = self->state.job.request;
  ask<pipeline::spooled_file>(
      self, to_resolver, self->state.parts.resolver,
      [=](pipeline::spooled_file& file) {
        const auto& accepted = self->state.job.request.video_sha256;
        if (!accepted.empty() && accepted != file.sha256)
          fail(self, errc::audio_path_not_found,
               "The file at audio_path is not the one that was there when the job was accepted.");
        else
          open_speech(self, file.path);
      },
      atom::resolve_v, wish.video_path, wish.kind);
}

void start(self_pointer self) {
  auto& state = self->state;
  const auto& wish = state.job.request;
  const auto& layout = state.config.layout;
  enter(self, job_stage::validate);
  if (state.job.version.empty()) {
    fail(self, errc::avatar_not_ready, "The avatar has no version any more.");
    return;
  }
  // Adopted avatars are plain folders.
  state.request.avatar = pipeline::version_number(state.job.version)
                             ? layout.version(wish.avatar_id, state.job.version)
                             : layout.link(wish.avatar_id);
  state.request.options = wish.speech;
  if (wish.upload_id.empty())
    resolve(self);
  else
    open_speech(self, layout.upload(wish.upload_id) / "source");
}

} // namespace

void verify(self_pointer self) {
  enter(self, job_stage::verify);
  ask<int64_t>(
      self, to_maker, self->state.parts.maker,
      [=](int64_t& frames) {
        auto expected = self->state.plan.frames;
        if (frames != expected)
          fail(self, errc::internal,
               "The video has " + std::to_string(frames) + " frames instead of " +
                   std::to_string(expected) + ".");
        else
          publish(self);
      },
      atom::close_v, id_of(self));
}

} // namespace speech_steps

musetalk_runner_actor::behavior_type speech_runner(speech_runner_pointer self,
                                                   const speech_runner_config& config,
                                                   const speech_runner_parts& parts,
                                                   const pipeline::job& job) {
  using namespace speech_steps;
  auto& state = self->state;
  state.config = config;
  if (job.request.speech.batch_size > 0)
    state.config.batch_frames = job.request.speech.batch_size;
  state.config.credit_batches = std::max(config.credit_batches, 1);
  state.config.batch_frames = std::max(state.config.batch_frames, 1);
  state.parts = parts;
  state.job = job;
  state.deadline = self->clock().now() + config.job_timeout;
  // However this one ends, the workers of its job are of no use to another. Links would take this
  // one with them.
  self->attach_functor([reader = parts.reader, maker = parts.maker] {
    caf::anon_send_exit(reader, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(maker, caf::exit_reason::user_shutdown);
  });
  self->monitor(parts.resolver);
  self->monitor(parts.reader);
  self->monitor(parts.maker);
  self->monitor(parts.gpu);
  self->monitor(parts.storage);
  self->monitor(parts.registry);
  self->set_down_handler([=](caf::down_msg& x) {
    if (x.source == self->state.parts.registry.address())
      abandon(self, x.reason);
    else
      worker_down(self, x.source);
  });
  self->set_exit_handler([=](caf::exit_msg& x) { abandon(self, x.reason); });
  return {
      [=](atom::start) {
        start(self);
        end_when_idle(self);
      },
      [=](atom::cancel) { cancel(self); },
      [=](atom::next) {
        pump(self);
        end_when_idle(self);
      },
  };
}

} // namespace musetalk::actors
