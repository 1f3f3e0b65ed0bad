#include "actors/musetalk_runner.hpp"

#include "actors/runner_steps.hpp"

#include <utility>

namespace musetalk::actors {

namespace runner_steps {

namespace {

using pipeline::job_stage;
using pipeline::job_state;

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
  auto plan = pipeline::version_plan{
      job.job_id, request.avatar_id,  request.tutor_id,   request.apply_blur,
      job.engine, job.weights,        request.video_name, request.video_sha256,
      info,       state.config.faces, job.options_key,    state.stop.get_token()};
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
      atom::resolve_v, self->state.job.request.video_path, self->state.job.request.kind);
}

void start(self_pointer self) {
  auto& state = self->state;
  const auto& request = state.job.request;
  state.clip.apply_blur = request.apply_blur;
  state.clip.convert_only = state.config.mock;
  state.clip.stop = state.stop.get_token();
  enter(self, job_stage::validate);
  if (request.upload_id.empty())
    resolve(self);
  else
    validate(self, state.config.layout.upload(request.upload_id) / "source");
}

} // namespace

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

} // namespace runner_steps

musetalk_runner_actor::behavior_type musetalk_runner(musetalk_runner_pointer self,
                                                     const musetalk_runner_config& config,
                                                     const musetalk_runner_parts& parts,
                                                     const pipeline::job& job) {
  using namespace runner_steps;
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
      [=](atom::start) {
        self->works_for(self->state.job.job_id);
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
