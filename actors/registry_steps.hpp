#pragma once

// What the REGISTRY does on each of its messages. For `registry.cpp` alone.

#include "actors/registry.hpp"

namespace musetalk::actors::registry_steps {

// -- asked by clients; throw `musetalk::error`, called through `guard` ------------
pipeline::job_view submit(registry_pointer self, const pipeline::job_request& request);
pipeline::job_view look(registry_pointer self, const std::string& job_id);
pipeline::avatar look_avatar(registry_pointer self, const std::string& avatar_id);
pipeline::job_page list_jobs(registry_pointer self, const pipeline::job_filter& filter,
                             const pipeline::page_request& page);
pipeline::job_view cancel(registry_pointer self, const std::string& job_id);

/// The job, and room for one more waiter if it is not final.
pipeline::job_view look_for_end(registry_pointer self, const std::string& job_id);
caf::result<pipeline::job_view> wait_for_end(registry_pointer self, const std::string& job_id);

/// Throws when the avatar cannot be removed now; cancels its jobs when forced.
void check_removal(registry_pointer self, const std::string& avatar_id, bool force);
caf::result<avatar_id> remove(registry_pointer self, const std::string& avatar_id);

queue_status status(registry_pointer self);

// -- told by workers and by itself ------------------------------------------------
void progress(registry_pointer self, const pipeline::job_progress& x);
void outcome(registry_pointer self, const job_outcome& x);
void runner_down(registry_pointer self, const caf::actor_addr& source);

/// Starts what can start, and tries again what the catalog refused.
void next(registry_pointer self);

/// Lets the runners go, answers everyone, and quits when the last runner has ended. Jobs stay in
/// the catalog as they are: the next start takes them up.
void begin_exit(registry_pointer self, caf::error reason);

// -- shared by the two parts ------------------------------------------------------
/// The job with what is only known now.
pipeline::job_view view_of(registry_pointer self, const pipeline::job& record);

/// Whether a queued or active job belongs to the avatar.
bool has_jobs(const registry_state& state, const std::string& avatar_id);

/// Tells the UPLOAD RECEIVER that nobody needs an upload any more; remembers it while there is
/// none.
void release_upload(registry_pointer self, const std::string& upload);

/// Tells waiters, frees the upload and goes on with a removal: called once a job is final and the
/// catalog has it.
void after_end(registry_pointer self, const pipeline::job& record);

/// Asks the files away, then the catalog's rows.
void remove_files(registry_pointer self, const std::string& avatar_id);

} // namespace musetalk::actors::registry_steps
