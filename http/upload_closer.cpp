#include "http/front_end.hpp"
#include "http/idempotency.hpp"
#include "http/speech_request.hpp"

#include <utility>

namespace musetalk::http {

namespace {

pipeline::spooled_file end_file(const end_upload& x) {
  try {
    return x.spool->finish();
  } catch (const error& why) {
    if (why.code() == errc::video_empty && x.request.kind == pipeline::job_kind::speak)
      throw error{errc::audio_unreadable, "The file has no bytes."};
    throw;
  }
}

} // namespace

upload_closer_actor::behavior_type
upload_closer(upload_closer_pointer self, const front_end_actor& next,
              const std::function<actors::upload_receiver_actor()>& uploads) {
  return {
      [=](const end_upload& x) {
        auto file = self->guarded([&] { return end_file(x); });
        if (!file) {
          x.to->fail(error{actors::code_of(file.error()), actors::detail_of(file.error())});
          self->send(uploads(), actors::atom::gone_v, actors::upload_id{x.request.upload_id});
          return;
        }
        x.spool->keep();
        auto request = x.request;
        request.key =
            sealed(request.key, x.to->in(),
                   {request.avatar_id, request.tutor_id, request.apply_blur ? "1" : "0",
                    file->sha256, to_string(request.priority), request.force ? "1" : "0",
                    request.kind == pipeline::job_kind::speak ? speech_text(request.speech) : ""});
        self->send(next,
                   commit_upload{x.to, std::move(*file), std::move(request), x.wait, x.examine});
      },
  };
}

} // namespace musetalk::http
