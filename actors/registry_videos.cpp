#include "actors/registry_steps.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

// Videos that avatars made, and what a job that speaks needs before it may wait.

namespace musetalk::actors::registry_steps {

namespace {

using pipeline::job_kind;

const pipeline::avatar_version* current_version(const pipeline::avatar& x) {
  auto found = std::find_if(x.versions.begin(), x.versions.end(),
                            [&](const auto& y) { return y.version == x.current_version; });
  return found == x.versions.end() ? nullptr : &*found;
}

} // namespace

void require_speaker(const registry_state& state, const pipeline::job_request& request) {
  if (request.kind != job_kind::speak)
    return;
  auto avatar = state.parts.catalog->find_avatar(request.avatar_id);
  if (!avatar)
    throw error(errc::avatar_not_found, "There is no avatar of that id.");
  const auto* version = current_version(*avatar);
  if (!version)
    throw error(errc::avatar_not_ready, "The avatar has no version yet.");
  if (version->frames == 0)
    throw error(errc::avatar_not_ready,
                "The avatar's current version has no frames: it was made without networks.");
  if (request.speech.start_frame >= version->frames)
    throw error(errc::request_field_invalid, "start_frame is " +
                                                 std::to_string(request.speech.start_frame) +
                                                 "; the avatar has the frames 0 to " +
                                                 std::to_string(version->frames - 1) + ".");
}

std::string speaking_version(const registry_state& state, const pipeline::job_request& request) {
  auto avatar = state.parts.catalog->find_avatar(request.avatar_id);
  return avatar ? avatar->current_version : std::string{};
}

std::optional<pipeline::job> find_spoken(const registry_state& state,
                                         const pipeline::job_request& request) {
  auto& catalog = *state.parts.catalog;
  auto version = speaking_version(state, request);
  auto page = pipeline::page_request{};
  for (const auto& x : catalog.list_videos(request.avatar_id, page).videos)
    if (x.audio_sha256 == request.video_sha256 && x.version == version &&
        x.options == request.speech && x.weights == state.config.weights)
      if (auto made = catalog.find_job(x.video_id))
        return made;
  return std::nullopt;
}

bool speaks_now(const registry_state& state, const std::string& avatar_id,
                const std::string& version) {
  return std::any_of(state.active.begin(), state.active.end(), [&](const auto& x) {
    const auto& record = x.second.record;
    return record.request.kind == job_kind::speak && record.request.avatar_id == avatar_id &&
           record.version == version;
  });
}

pipeline::video_page list_videos(registry_pointer self, const std::string& avatar_id,
                                 const pipeline::page_request& page) {
  look_avatar(self, avatar_id);
  return self->state.parts.catalog->list_videos(avatar_id, page);
}

pipeline::spoken_video look_video(registry_pointer self, const video_id& x) {
  if (auto found = self->state.parts.catalog->find_video(x.avatar_id, x.value))
    return *found;
  throw error(errc::video_not_found, "The avatar has no video of that id.");
}

caf::result<video_id> remove_video(registry_pointer self, const video_id& x) {
  auto& state = self->state;
  auto known = self->guarded([&] { return look_video(self, x); });
  if (!known)
    return known.error();
  auto reply = self->make_response_promise<video_id>();
  // The file first, as with avatars.
  self->request(state.parts.workers->get().storage, state.config.step_timeout, atom::remove_v, x)
      .then(
          [=](video_id& removed) mutable {
            auto done = self->guarded(
                [&] { self->state.parts.catalog->remove_video(removed.avatar_id, removed.value); });
            spdlog::info("video {} of avatar {} is removed", removed.value, removed.avatar_id);
            if (done)
              reply.deliver(std::move(removed));
            else
              reply.deliver(done.error());
          },
          [=](caf::error& why) mutable { reply.deliver(why); });
  return reply;
}

} // namespace musetalk::actors::registry_steps
