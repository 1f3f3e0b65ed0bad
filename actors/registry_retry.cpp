#include "actors/registry_steps.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

// Another attempt at a job, and the uploads that are kept for it.

namespace musetalk::actors::registry_steps {

namespace {

using pipeline::job;
using pipeline::job_state;

pipeline::timestamp_us keep_us(const registry_state& state) {
  return std::chrono::microseconds{state.config.keep_failed}.count();
}

void keep(registry_state& state, const job& x) {
  state.kept_uploads.push_back(
      {x.request.upload_id, x.request.avatar_id, x.finished_us + keep_us(state)});
}

bool is_kept(const registry_state& state, const std::string& upload_id) {
  return std::any_of(state.kept_uploads.begin(), state.kept_uploads.end(),
                     [&](const auto& x) { return x.upload_id == upload_id; });
}

void require_source(const registry_state& state, const job& x) {
  const auto& request = x.request;
  if (!request.upload_id.empty() && !is_kept(state, request.upload_id))
    throw error(errc::job_source_gone, x.state == job_state::cancelled
                                           ? "The upload went with the cancellation of the job."
                                           : "The upload of a failed job is kept for " +
                                                 std::to_string(state.config.keep_failed.count()) +
                                                 " s, and this one is not there any more.");
  if (!state.parts.source_there(request))
    throw error(errc::job_source_gone, "The video of the job cannot be read any more.");
}

} // namespace

void find_kept_uploads(registry_pointer self) {
  auto& state = self->state;
  if (state.config.keep_failed.count() == 0)
    return;
  for (const auto& x : state.parts.catalog->failed_uploads(state.parts.now_us() - keep_us(state)))
    keep(state, x);
}

void keep_or_release(registry_pointer self, const job& record) {
  auto& state = self->state;
  const auto& upload = record.request.upload_id;
  auto disk_is_full =
      record.state == job_state::failed && record.failure.code == errc::storage_full;
  if (disk_is_full)
    for (const auto& x : std::exchange(state.kept_uploads, {}))
      release_upload(self, x.upload_id);
  if (disk_is_full || record.state != job_state::failed || upload.empty() ||
      state.config.keep_failed.count() == 0)
    release_upload(self, upload);
  else
    keep(state, record);
  release_kept(self);
}

void release_kept(registry_pointer self, const std::string& avatar_id) {
  auto& state = self->state;
  auto& kept = state.kept_uploads;
  auto now = state.parts.now_us();
  auto surplus = kept.size() - std::min(kept.size(), state.config.max_kept_uploads);
  std::erase_if(kept, [&](const auto& x) {
    auto crowded = surplus > 0 && surplus-- > 0;
    if (!crowded && x.until > now && x.avatar_id != avatar_id)
      return false;
    release_upload(self, x.upload_id);
    return true;
  });
}

pipeline::job_view retry(registry_pointer self, const std::string& job_id,
                         const pipeline::request_key& key) {
  auto& state = self->state;
  if (state.stopping)
    throw error(errc::stopping, "The service is stopping.");
  if (auto earlier = earlier_target(self, key); !earlier.empty())
    return replayed(self, earlier);
  release_kept(self);
  auto record = find_job(state, job_id);
  if (!is_final(record.state))
    throw error(errc::job_active,
                "The job has not ended: it is " + std::string{to_string(record.state)} + ".");
  if (record.state == job_state::completed)
    throw error(errc::job_finished, "The job has completed: there is nothing to try again.");
  require_place(state, record.request);
  require_source(state, record);
  record.state = job_state::queued;
  ++record.attempt;
  record.interruptions = 0;
  record.started_us = record.finished_us = 0;
  record.failure = {};
  record.queued_us = state.parts.now_us();
  record.timings_ms.clear();
  auto event =
      state.parts.catalog->retry_job(record, "client", "asked by a client", stamped(self, key));
  std::erase_if(state.kept_uploads,
                [&](const auto& x) { return x.upload_id == record.request.upload_id; });
  state.queue.push(record);
  look_for_version(state, record);
  spdlog::info("job {} is queued again, attempt {}", job_id, record.attempt);
  tell(self, event);
  self->send(self, atom::next_v);
  return view_of(self, record);
}

} // namespace musetalk::actors::registry_steps
