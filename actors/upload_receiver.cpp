#include "actors/upload_receiver.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace musetalk::actors {

namespace {

using self_pointer = upload_receiver_pointer;
using pipeline::job_request;
using pipeline::job_view;

void discard(self_pointer self, const std::string& upload) {
  if (upload.empty())
    return;
  if (auto storage = self->state.parts.workers->get().storage)
    self->send(storage, atom::discard_v, upload_id{upload});
}

// Ticks only while there is something that can expire: an idle service sleeps.
void arm(self_pointer self) {
  auto& state = self->state;
  if (state.ticking || state.arriving.empty())
    return;
  state.ticking = true;
  self->delayed_send(self, state.config.tick, atom::tick_v);
}

void expire(self_pointer self) {
  auto& state = self->state;
  state.ticking = false;
  auto now = self->clock().now();
  std::erase_if(state.arriving, [&](const auto& x) {
    if (now - x.second < state.config.idle_timeout)
      return false;
    spdlog::info("upload {} stood still for too long and is removed", x.first);
    discard(self, x.first);
    return true;
  });
  arm(self);
}

// -- from a whole file to a job --------------------------------------------------

void refuse(self_pointer self, uint64_t number, const caf::error& why) {
  auto node = self->state.pending.extract(number);
  if (!node)
    return;
  auto& video = node.mapped();
  self->note(why);
  // A registry that did not answer in time may still have taken the upload over.
  if (!video.submitted || code_of(why) != errc::timeout)
    discard(self, video.request.upload_id);
  video.reply.deliver(why);
}

void accept(self_pointer self, uint64_t number, job_view& job) {
  auto node = self->state.pending.extract(number);
  if (!node)
    return;
  auto& video = node.mapped();
  // The same video with the same options was there before: nobody needs this copy of it.
  if (job.record.request.upload_id != video.request.upload_id)
    discard(self, video.request.upload_id);
  video.reply.deliver(std::move(job));
}

void submit(self_pointer self, uint64_t number) {
  auto& state = self->state;
  auto& video = state.pending.at(number);
  video.submitted = true;
  self->request(state.parts.registry, state.config.step_timeout, atom::submit_v, video.request)
      .then([=](job_view& x) { accept(self, number, x); },
            [=](caf::error& x) { refuse(self, number, x); });
}

void probe(self_pointer self, uint64_t number, const std::string& path) {
  auto prober = self->state.parts.workers->get().prober;
  self->request(prober, self->state.config.step_timeout, atom::probe_v, path,
                self->state.pending.at(number).request.kind)
      .then(
          [=](const pipeline::media_info& info) {
            auto& state = self->state;
            auto& request = state.pending.at(number).request;
            request.video_frames = info.predicted_frames;
            request.video_pixels = int64_t{info.width} * info.height;
            auto fits = self->guarded([&] {
              if (request.kind == pipeline::job_kind::create && state.parts.require_room)
                state.parts.require_room(info);
            });
            if (fits)
              submit(self, number);
            else
              refuse(self, number, fits.error());
          },
          [=](caf::error& x) { refuse(self, number, x); });
}

void resolve(self_pointer self, uint64_t number) {
  auto prober = self->state.parts.workers->get().prober;
  const auto& wish = self->state.pending.at(number).request;
  self->request(prober, self->state.config.step_timeout, atom::resolve_v, wish.video_path,
                wish.kind)
      .then(
          [=](pipeline::spooled_file& file) {
            auto& request = self->state.pending.at(number).request;
            request.video_path = file.path.string();
            request.video_bytes = file.bytes;
            request.video_sha256 = file.sha256;
            if (request.video_name.empty())
              request.video_name = file.path.filename().string();
            probe(self, number, request.video_path);
          },
          [=](caf::error& x) { refuse(self, number, x); });
}

// -- videos that are only looked at --------------------------------------------------

template <class T>
void examined(self_pointer self, uint64_t number, const T& answer) {
  auto node = self->state.examined.extract(number);
  if (!node)
    return;
  discard(self, node.mapped().upload_id);
  node.mapped().reply.deliver(answer);
}

void examine(self_pointer self, uint64_t number, const std::string& path) {
  auto prober = self->state.parts.workers->get().prober;
  self->request(prober, self->state.config.step_timeout, atom::examine_v, path)
      .then([=](pipeline::preflight_report& x) { examined(self, number, x); },
            [=](caf::error& x) { examined(self, number, x); });
}

void resolve_and_examine(self_pointer self, uint64_t number, const std::string& path) {
  auto prober = self->state.parts.workers->get().prober;
  self->request(prober, self->state.config.step_timeout, atom::resolve_v, path,
                pipeline::job_kind::create)
      .then([=](pipeline::spooled_file& file) { examine(self, number, file.path.string()); },
            [=](caf::error& x) { examined(self, number, x); });
}

// -- the end -----------------------------------------------------------------------

void stop(self_pointer self, caf::error reason) {
  auto& state = self->state;
  auto stopping = make_error(errc::stopping, "The service is stopping.");
  for (auto& [number, video] : state.pending) {
    if (!video.submitted)
      discard(self, video.request.upload_id);
    video.reply.deliver(stopping);
  }
  for (auto& [number, x] : state.examined) {
    discard(self, x.upload_id);
    x.reply.deliver(stopping);
  }
  for (const auto& [upload, touched] : state.arriving)
    discard(self, upload);
  self->quit(std::move(reason));
}

bool is_full(const upload_receiver_state& state) {
  return state.pending.size() + state.examined.size() >= state.config.max_pending;
}

caf::error too_many_pending(const upload_receiver_state& state) {
  return make_error(errc::queue_full, std::to_string(state.pending.size() + state.examined.size()) +
                                          " videos wait to be looked at; the limit is " +
                                          std::to_string(state.config.max_pending) + ".");
}

} // namespace

upload_receiver_actor::behavior_type upload_receiver(upload_receiver_pointer self,
                                                     const upload_receiver_config& config,
                                                     const upload_receiver_parts& parts) {
  self->state.config = config;
  self->state.parts = parts;
  self->set_exit_handler([=](caf::exit_msg& x) { stop(self, x.reason); });
  return {
      [=](atom::began, const upload_id& upload) {
        self->state.arriving[upload.value] = self->clock().now();
        arm(self);
      },
      [=](atom::gone, const upload_id& upload) {
        // A client that leaves after its last byte has done its part: the job goes on.
        if (self->state.arriving.erase(upload.value) > 0)
          discard(self, upload.value);
      },
      [=](atom::commit, const pipeline::spooled_file& file,
          const job_request& request) -> caf::result<job_view> {
        auto& state = self->state;
        state.arriving.erase(file.upload_id);
        if (is_full(state)) {
          discard(self, file.upload_id);
          return too_many_pending(state);
        }
        auto reply = self->make_response_promise<job_view>();
        auto& video = state.pending[++state.last_number];
        video.request = request;
        video.request.upload_id = file.upload_id;
        video.request.video_path.clear();
        video.request.video_bytes = file.bytes;
        video.request.video_sha256 = file.sha256;
        video.reply = reply;
        probe(self, state.last_number, file.path.string());
        return reply;
      },
      [=](atom::create, const job_request& request) -> caf::result<job_view> {
        auto& state = self->state;
        if (is_full(state))
          return too_many_pending(state);
        auto reply = self->make_response_promise<job_view>();
        auto& video = state.pending[++state.last_number];
        video.request = request;
        video.request.upload_id.clear();
        video.reply = reply;
        resolve(self, state.last_number);
        return reply;
      },
      [=](atom::examine,
          const pipeline::spooled_file& file) -> caf::result<pipeline::preflight_report> {
        auto& state = self->state;
        state.arriving.erase(file.upload_id);
        if (is_full(state)) {
          discard(self, file.upload_id);
          return too_many_pending(state);
        }
        auto reply = self->make_response_promise<pipeline::preflight_report>();
        state.examined[++state.last_number] = {file.upload_id, reply};
        examine(self, state.last_number, file.path.string());
        return reply;
      },
      [=](atom::examine, const std::string& path) -> caf::result<pipeline::preflight_report> {
        auto& state = self->state;
        if (is_full(state))
          return too_many_pending(state);
        auto reply = self->make_response_promise<pipeline::preflight_report>();
        state.examined[++state.last_number] = {"", reply};
        resolve_and_examine(self, state.last_number, path);
        return reply;
      },
      [=](atom::release, const upload_id& upload) { discard(self, upload.value); },
      [=](atom::tick) { expire(self); },
  };
}

} // namespace musetalk::actors
