#include "actors/speech_workers.hpp"

#include <algorithm>
#include <utility>

namespace musetalk::actors {

namespace {

[[noreturn]] void refuse_stranger(const job_id& job) {
  throw error(errc::cancelled, "Nothing of this job is open.", "job " + job.value);
}

} // namespace

speech_reader_actor::behavior_type
speech_reader(speech_reader_pointer self, const pipeline::speech_source_factory& open_speech,
              const std::function<pipeline::sound_analysis_ptr(const job_id&)>& analysis) {
  return {
      [=](atom::open, const job_id& job,
          const pipeline::speech_request& request) -> caf::result<pipeline::speech_plan> {
        return self->guarded([&] {
          auto& state = self->state;
          state.source.reset();
          state.source = open_speech(request, analysis(job));
          state.job_id = job.value;
          return state.source->plan();
        });
      },
      [=](atom::pull, const job_id& job, int32_t most) -> caf::result<pipeline::speech_batch> {
        return self->guarded([&] {
          auto& state = self->state;
          if (!state.source || state.job_id != job.value)
            refuse_stranger(job);
          return state.source->next(std::max(most, 1));
        });
      },
  };
}

film_maker_actor::behavior_type film_maker(film_maker_pointer self,
                                           const pipeline::film_factory& open_film) {
  auto open = [=](const job_id& job) -> film_maker_state& {
    auto& state = self->state;
    if (!state.film || state.job_id != job.value)
      refuse_stranger(job);
    return state;
  };
  return {
      [=](atom::open, const job_id& job, const pipeline::film_plan& plan) -> caf::result<job_id> {
        return self->guarded([&] {
          auto& state = self->state;
          state.film.reset();
          state.film = open_film(plan);
          state.job_id = job.value;
          state.frames = 0;
          return job;
        });
      },
      [=](atom::write, const job_id& job, const pipeline::speech_batch& batch,
          const std::vector<pipeline::image>& faces) -> caf::result<int64_t> {
        return self->guarded([&] {
          auto& state = open(job);
          state.film->write(batch, faces);
          return state.frames += std::ssize(batch.frames);
        });
      },
      [=](atom::close, const job_id& job) -> caf::result<int64_t> {
        return self->guarded([&] {
          auto& state = open(job);
          state.film->finish();
          state.film.reset();
          return state.frames;
        });
      },
  };
}

} // namespace musetalk::actors
