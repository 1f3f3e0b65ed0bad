#pragma once

// What the REGISTRY does on each of its messages. For `registry.cpp` alone.

#include "actors/registry.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace musetalk::actors::registry_steps {

/// When each queued job will have ended, seconds from now; negative when unknown.
using queue_plan = std::map<std::string, double>;

// -- asked by clients; throw `musetalk::error`, called through `guard` ------------
pipeline::job_view submit(registry_pointer self, const pipeline::job_request& request);
pipeline::job_view examine(registry_pointer self, const pipeline::job_request& request);
pipeline::job_view look(registry_pointer self, const std::string& job_id);
pipeline::avatar look_avatar(registry_pointer self, const std::string& avatar_id);
pipeline::job_page list_jobs(registry_pointer self, const pipeline::job_filter& filter,
                             const pipeline::page_request& page);
pipeline::job_view cancel(registry_pointer self, const std::string& job_id,
                          const pipeline::request_key& key);
pipeline::job_view retry(registry_pointer self, const std::string& job_id,
                         const pipeline::request_key& key);
pipeline::job_history history(registry_pointer self, const std::string& job_id);
pipeline::event_page events(registry_pointer self, const pipeline::event_query& query);

/// The job, and room for one more waiter if it is not final.
pipeline::job_view look_for_end(registry_pointer self, const std::string& job_id);
caf::result<pipeline::job_view> wait_for_end(registry_pointer self, const std::string& job_id);

/// Throws when the avatar cannot be removed now; cancels its jobs when forced.
void check_removal(registry_pointer self, const std::string& avatar_id, bool force,
                   const std::string& if_match);
caf::result<avatar_id> remove(registry_pointer self, const std::string& avatar_id);

/// Answer the avatar as it is afterwards.
caf::result<pipeline::avatar> activate_version(registry_pointer self, const version_change& x);
caf::result<pipeline::avatar> remove_version(registry_pointer self, const version_change& x);

pipeline::video_page list_videos(registry_pointer self, const std::string& avatar_id,
                                 const pipeline::page_request& page);
pipeline::spoken_video look_video(registry_pointer self, const video_id& x);
caf::result<video_id> remove_video(registry_pointer self, const video_id& x);
pipeline::avatar touch(registry_pointer self, const std::string& avatar_id);
pipeline::avatar pin(registry_pointer self, const std::string& avatar_id, bool pinned);
pipeline::retention_plan plan_cleaning(registry_pointer self);
caf::result<pipeline::retention_plan> clean(registry_pointer self);

/// Two looks, the second only at what the first did not like.
caf::result<pipeline::store_report> check_store(registry_pointer self, bool deep);

queue_status status(registry_pointer self);

// -- told by workers and by itself ------------------------------------------------
void progress(registry_pointer self, const pipeline::job_progress& x);
void outcome(registry_pointer self, const job_outcome& x);

/// Makes an outcome durable, then known. False when the catalog refused it: tried again later.
bool settle(registry_pointer self, const std::string& job_id);

/// Runs a write that will be tried again until it succeeds. False when it was refused.
bool write_surely(registry_pointer self, const std::function<void()>& f);

void runner_down(registry_pointer self, const caf::actor_addr& source);

/// What the JANITOR says of the files of a version.
void scrubbed(registry_pointer self, const pipeline::version_ref& what, const std::string& damage);

/// Forgets what has expired: uploads, events; writes down who was used.
void look_after(registry_pointer self);

/// Starts what can start, and tries again what the catalog refused.
void next(registry_pointer self);

/// Lets the runners go, answers everyone, and quits when the last runner has ended. Jobs stay in
/// the catalog as they are: the next start takes them up.
void begin_exit(registry_pointer self, caf::error reason);

// -- followers --------------------------------------------------------------------
void follow(registry_pointer self, const caf::strong_actor_ptr& who);
void follower_down(registry_pointer self, const caf::actor_addr& source);

/// Tells the followers of a move that is in the catalog, and where the job stands now.
void tell(registry_pointer self, const pipeline::job_event& x);

/// Tells the followers where a job that is not final stands.
void tell_progress(registry_pointer self, const pipeline::job& record,
                   const queue_plan* plan = nullptr);

/// Tells the followers of those that moved up in the queue.
void tell_queue(registry_pointer self);

// -- shared by the parts ----------------------------------------------------------
/// A job wherever it is. @throws error `job_not_found`.
pipeline::job find_job(registry_state& state, const std::string& job_id);

/// @throws error why no job of that request can be queued now.
void require_place(const registry_state& state, const pipeline::job_request& request);

/// @throws error why the avatar of a job that speaks cannot do so now; other jobs need none.
void require_speaker(const registry_state& state, const pipeline::job_request& request);

/// The version that a job of this request would speak with, if it began now; or empty.
std::string speaking_version(const registry_state& state, const pipeline::job_request& request);

/// The job that made the very video that is asked for, if it is there.
std::optional<pipeline::job> find_spoken(const registry_state& state,
                                         const pipeline::job_request& request);

/// Whether a running job speaks with that version: its files must stay.
bool speaks_now(const registry_state& state, const std::string& avatar_id,
                const std::string& version);

/// What an earlier request of the same key had its effect on; empty when there was none.
/// @throws error `key_reused`, `key_in_use`.
std::string earlier_target(registry_pointer self, const pipeline::request_key& key);

/// The job that an earlier request of the same key made or changed, as it is now.
pipeline::job_view replayed(registry_pointer self, const std::string& job_id);

/// The key as it is stored with its effect now.
pipeline::request_key stamped(registry_pointer self, pipeline::request_key key);

/// Jobs that have a place.
size_t places_taken(const registry_state& state);

/// Seconds until the first place is free; negative when unknown.
double until_free(const registry_state& state, caf::actor_clock::time_point now);

queue_plan plan_queue(const registry_state& state, caf::actor_clock::time_point now);

/// The job with what is only known now.
/// @param plan For many at once; null: it is made.
pipeline::job_view view_of(registry_pointer self, const pipeline::job& record,
                           const queue_plan* plan = nullptr);

// -- work that is done once ---------------------------------------------------------
/// Bytes and options of a job's version; empty: like no other.
std::string work_of(const pipeline::job& x);

/// A job as it would be made of a request.
pipeline::job job_of(const registry_state& state, const pipeline::job_request& request);

/// A job that will make, or has made, the very version that is asked for.
std::optional<pipeline::job> find_same(registry_state& state, const pipeline::job& wanted);

/// Whether a runner prepares the version that a job wants: then it waits for that.
bool is_under_way(const registry_state& state, const pipeline::job& x);

/// Notes a queued job whose version is there, under whatever name.
void look_for_version(registry_state& state, const pipeline::job& x);

/// The same for all that want what a job has just made.
void look_for_version_again(registry_state& state, const pipeline::job& made);

/// Starts what needs no place. False when nothing more is to be linked now.
bool link_one(registry_pointer self);

// -- how long jobs take ---------------------------------------------------------------
work_size size_of(const pipeline::job& x);

/// Learns from what the catalog remembers of this machine. @throws error `catalog_failed`.
void remember_past(registry_state& state);

/// Learns from a job that completed.
void learn(registry_state& state, const pipeline::job& x);

/// Seconds until the job of this size, with what is known of the past, would end.
double predicted_s(const registry_state& state, const pipeline::job& x);

/// Where the time of an attempt went: what its stages do not account for is `queued` or `other`.
std::map<std::string, int64_t> whole_timings(const pipeline::job& ended,
                                             std::map<std::string, int64_t> stages);

/// Whether an active job or a removal keeps an avatar's jobs from starting.
bool avatar_is_busy(const registry_state& state, const std::string& avatar_id);

/// Whether a queued or active job belongs to the avatar.
bool has_jobs(const registry_state& state, const std::string& avatar_id);

/// Tells the UPLOAD RECEIVER that nobody needs an upload any more; remembers it while there is
/// none.
void release_upload(registry_pointer self, const std::string& upload);

/// Takes up what an earlier process kept. @throws error `catalog_failed`.
void find_kept_uploads(registry_pointer self);

/// Keeps the upload of a job that failed, or releases that of one that ended otherwise.
void keep_or_release(registry_pointer self, const pipeline::job& record);

/// Releases kept uploads whose time is over, or that are of this avatar.
void release_kept(registry_pointer self, const std::string& avatar_id = {});

/// Tells waiters, frees the upload and goes on with a removal: called once a job is final and the
/// catalog has it.
void after_end(registry_pointer self, const pipeline::job& record);

/// Asks the files away, then the catalog's rows.
void remove_files(registry_pointer self, const std::string& avatar_id);

} // namespace musetalk::actors::registry_steps
