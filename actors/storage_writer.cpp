#include "actors/storage_writer.hpp"

#include <spdlog/spdlog.h>

#include <utility>
#include <vector>

namespace musetalk::actors {

namespace {

/// Files that are deleted in one go: some milliseconds of work.
constexpr size_t slice = 64;

// A job whose staging was discarded may still have messages on their way.
storage_writer_state::open_version& find_open(storage_writer_state& state, const job_id& job) {
  auto found = state.open.find(job.value);
  if (found == state.open.end())
    throw error(errc::cancelled, "Nothing of this job is being written any more.",
                "job " + job.value);
  return found->second;
}

std::string open_staging(storage_writer_state& state, const pipeline::version_plan& plan) {
  // What an attempt before left must be gone before the folder is made anew.
  state.open.erase(plan.job_id);
  auto writer = state.store->begin(plan);
  auto folder = writer->folder().string();
  state.open[plan.job_id].writer = std::move(writer);
  return folder;
}

int64_t write_frames(storage_writer_state& state, const job_id& job,
                     const pipeline::prepared_batch& batch,
                     const std::vector<pipeline::latent>& latents) {
  auto& version = find_open(state, job);
  if (!batch.frames.empty())
    version.writer->write(batch.frames, latents);
  version.frames += std::ssize(batch.frames);
  return version.frames;
}

int64_t verify(storage_writer_state& state, const job_id& job) {
  auto& version = find_open(state, job);
  version.writer->verify();
  return version.frames;
}

pipeline::avatar_version publish(storage_writer_state& state, const job_id& job) {
  auto result = find_open(state, job).writer->publish();
  state.open.erase(job.value);
  return result;
}

void sweep_later(storage_writer_pointer self) {
  if (std::exchange(self->state.sweeping, true))
    return;
  self->send(self, atom::tick_v);
}

/// One slice; whatever has come meanwhile goes before the next.
void sweep(storage_writer_pointer self) {
  self->state.sweeping = false;
  auto more = self->guarded([&] { return self->state.store->sweep(slice); });
  if (!more || *more)
    sweep_later(self);
}

using claims_pointer = std::shared_ptr<const pipeline::store_claims>;
using pipeline::store_report;

caf::result<store_report> begin_check(storage_writer_pointer self, const claims_pointer& claims,
                                      bool deep) {
  auto& state = self->state;
  if (state.checking)
    return make_error(errc::queue_full, "A check of the store is under way already.");
  auto options = pipeline::store_check_options{};
  options.deep = deep;
  options.live = true;
  for (const auto& [job, version] : state.open)
    options.staging.insert(job);
  options.trash_in_use = state.sweeping;
  auto look = self->guarded([&] {
    return std::make_unique<pipeline::store_check>(state.store->layout(), claims, options);
  });
  if (!look)
    return look.error();
  auto reply = self->make_response_promise<store_report>();
  state.checking.emplace(storage_writer_state::check{std::move(*look), reply});
  self->send(self, atom::next_v);
  return reply;
}

/// One slice; whatever has come meanwhile goes before the next.
void go_on_checking(storage_writer_pointer self) {
  auto& checking = self->state.checking;
  if (!checking)
    return;
  auto more = self->guarded([&] { return checking->look->step(); });
  if (more && *more) {
    self->send(self, atom::next_v);
    return;
  }
  auto done = std::move(*checking);
  checking.reset();
  if (more)
    done.reply.deliver(done.look->report());
  else
    done.reply.deliver(more.error());
}

void expire(storage_writer_pointer self, const std::vector<std::string>& needed_uploads) {
  auto needed_staging = std::vector<std::string>{};
  for (const auto& [job, version] : self->state.open)
    needed_staging.push_back(job);
  auto gone =
      self->guarded([&] { return self->state.store->expire(needed_staging, needed_uploads); });
  if (!gone)
    return;
  for (const auto& x : *gone)
    spdlog::warn("{} was left over and is removed", x);
  if (!gone->empty())
    sweep_later(self);
}

} // namespace

storage_writer_actor::behavior_type
storage_writer(storage_writer_pointer self, const std::shared_ptr<pipeline::avatar_store>& store) {
  self->state.store = store;
  sweep_later(self);
  return {
      [=](atom::open, const pipeline::version_plan& plan) -> caf::result<std::string> {
        return self->guarded([&] { return open_staging(self->state, plan); });
      },
      [=](atom::write, const job_id& job, const pipeline::prepared_batch& batch,
          const std::vector<pipeline::latent>& latents) -> caf::result<int64_t> {
        return self->guarded([&] { return write_frames(self->state, job, batch, latents); });
      },
      [=](atom::verify, const job_id& job) -> caf::result<int64_t> {
        return self->guarded([&] { return verify(self->state, job); });
      },
      [=](atom::publish, const job_id& job) -> caf::result<pipeline::avatar_version> {
        return self->guarded([&] { return publish(self->state, job); });
      },
      [=](atom::open, const job_id& job) -> caf::result<std::string> {
        return self->guarded([&] {
          auto folder = self->state.store->open_staging(job.value).string();
          sweep_later(self);
          return folder;
        });
      },
      [=](atom::publish, const job_id& job,
          const avatar_id& avatar) -> caf::result<pipeline::stored_video> {
        return self->guarded([&] {
          auto result = self->state.store->publish_video(job.value, avatar.value);
          sweep_later(self);
          return result;
        });
      },
      [=](atom::remove, const video_id& video) -> caf::result<video_id> {
        return self->guarded([&] {
          self->state.store->remove_video(video.avatar_id, video.value);
          return video;
        });
      },
      [=](atom::link, const pipeline::link_plan& plan) -> caf::result<pipeline::avatar_version> {
        return self->guarded([&] { return self->state.store->link_version(plan); });
      },
      [=](atom::discard, const job_id& job) -> caf::result<job_id> {
        return self->guarded([&] {
          // The writer goes last: it finds nothing to delete, unless the move failed.
          auto writer = self->state.open.extract(job.value);
          self->state.store->discard_staging(job.value);
          sweep_later(self);
          return job;
        });
      },
      [=](atom::discard, const upload_id& upload) {
        // Nobody waits for it; a failure is in the log, and the next start cleans up.
        self->guarded([&] { self->state.store->discard_upload(upload.value); });
      },
      [=](atom::remove, const avatar_id& avatar) -> caf::result<avatar_id> {
        return self->guarded([&] {
          self->state.store->remove_avatar(avatar.value);
          sweep_later(self);
          return avatar;
        });
      },
      [=](atom::activate, const avatar_id& avatar,
          const std::string& version) -> caf::result<avatar_id> {
        return self->guarded([&] {
          self->state.store->activate_version(avatar.value, version);
          return avatar;
        });
      },
      [=](atom::remove, const avatar_id& avatar,
          const std::string& version) -> caf::result<avatar_id> {
        return self->guarded([&] {
          self->state.store->remove_version(avatar.value, version);
          sweep_later(self);
          return avatar;
        });
      },
      [=](atom::verify, const claims_pointer& claims, bool deep) {
        return begin_check(self, claims, deep);
      },
      [=](atom::next) { go_on_checking(self); },
      [=](atom::set_aside, const avatar_id& avatar,
          const std::string& version) -> caf::result<std::string> {
        return self->guarded(
            [&] { return self->state.store->set_aside_version(avatar.value, version); });
      },
      [=](atom::expire, const std::vector<std::string>& needed_uploads) {
        expire(self, needed_uploads);
      },
      [=](atom::tick) { sweep(self); },
  };
}

} // namespace musetalk::actors
