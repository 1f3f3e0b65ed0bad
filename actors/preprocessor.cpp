#include "actors/preprocessor.hpp"

#include <algorithm>

namespace musetalk::actors {

namespace {

void close_clip(preprocessor_state& state) {
  state.preparer.reset();
  state.job_id.clear();
}

pipeline::face_analysis_ptr analysis_for(const preprocessor_parts& parts, const job_id& job,
                                         const std::stop_token& stop) {
  return parts.analysis ? parts.analysis(job, stop) : nullptr;
}

pipeline::media_info validate(const preprocessor_parts& parts, const job_id& job,
                              const pipeline::clip_request& request) {
  auto info = parts.probe(request.source, pipeline::job_kind::create);
  if (!request.convert_only)
    parts.check_faces(request, analysis_for(parts, job, request.stop));
  return info;
}

pipeline::media_info open_clip(preprocessor_state& state, const preprocessor_parts& parts,
                               const job_id& job, const pipeline::clip_request& request) {
  // A runner that died may have left its clip open.
  close_clip(state);
  state.preparer = parts.open_clip(request, analysis_for(parts, job, request.stop));
  state.job_id = job.value;
  return state.preparer->info();
}

pipeline::prepared_batch pull(preprocessor_state& state, const job_id& job, int32_t max_frames) {
  if (!state.preparer || state.job_id != job.value)
    throw error(errc::cancelled, "No clip of this job is open.", "job " + job.value);
  try {
    auto result = state.preparer->next(std::max(max_frames, 1));
    // The last frames are handed out: codecs and networks need not wait for `close`.
    if (result.last)
      close_clip(state);
    return result;
  } catch (...) {
    // Of no use any more.
    close_clip(state);
    throw;
  }
}

} // namespace

preprocessor_actor::behavior_type preprocessor(preprocessor_pointer self,
                                               const preprocessor_parts& parts) {
  return {
      [=](atom::resolve, const std::string& path,
          pipeline::job_kind kind) -> caf::result<pipeline::spooled_file> {
        return self->guarded([&] { return parts.resolve(path, kind); });
      },
      [=](atom::probe, const std::string& path,
          pipeline::job_kind kind) -> caf::result<pipeline::media_info> {
        return self->guarded([&] { return parts.probe(path, kind); });
      },
      [=](atom::examine, const std::string& path) -> caf::result<pipeline::preflight_report> {
        return self->guarded([&] { return parts.examine(path); });
      },
      [=](atom::validate, const job_id& job,
          const pipeline::clip_request& request) -> caf::result<pipeline::media_info> {
        self->works_for(job.value);
        return self->guarded([&] { return validate(parts, job, request); });
      },
      [=](atom::open, const job_id& job,
          const pipeline::clip_request& request) -> caf::result<pipeline::media_info> {
        return self->guarded([&] { return open_clip(self->state, parts, job, request); });
      },
      [=](atom::pull, const job_id& job,
          int32_t max_frames) -> caf::result<pipeline::prepared_batch> {
        return self->guarded([&] { return pull(self->state, job, max_frames); });
      },
      [=](atom::close, const job_id& job) {
        if (self->state.job_id == job.value)
          close_clip(self->state);
      },
  };
}

} // namespace musetalk::actors
