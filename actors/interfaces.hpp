#pragma once

// Every actor of the service and every message between them. One read of this file tells the
// system:
//
//   http ──▶ UPLOAD RECEIVER ──▶ REGISTRY ──▶ MUSETALK RUNNER (one per running job)
//     └────────────────────────────▲            ├──▶ PREPROCESSOR    decode, convert, faces, masks
//                                  │            │         ▼
//                                  │            ├──▶ GPU SCHEDULER   all networks; alone on the
//                                  device └─ progress ─┴──▶ STORAGE WRITER  PNG, folder, verify,
//                                  publish
//
// Handles point downstream; progress and outcomes flow back to the REGISTRY. Frames travel as
// shared immutable buffers. Every request has a finite time-out and every failure is a `caf::error`
// of category "musetalk" whose context is the public detail (see actors/errors.hpp).

#include "actors/errors.hpp"
#include "actors/inspect.hpp"
#include "actors/messages.hpp"
#include "pipeline/avatar_store.hpp"
#include "pipeline/clip_preparer.hpp"
#include "pipeline/device_networks.hpp"
#include "pipeline/job.hpp"
#include "pipeline/preflight.hpp"
#include "pipeline/prepared.hpp"
#include "pipeline/retention_plan.hpp"
#include "pipeline/speech.hpp"
#include "pipeline/store_claims.hpp"
#include "pipeline/upload_spool.hpp"

#include <caf/replies_to.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

// -- messages -----------------------------------------------------------------

CAF_BEGIN_TYPE_ID_BLOCK(musetalk, caf::first_custom_type_id)

CAF_ADD_TYPE_ID(musetalk, (musetalk::errc))
CAF_ADD_TYPE_ID(musetalk, (musetalk::actors::job_id))
CAF_ADD_TYPE_ID(musetalk, (musetalk::actors::upload_id))
CAF_ADD_TYPE_ID(musetalk, (musetalk::actors::avatar_id))
CAF_ADD_TYPE_ID(musetalk, (musetalk::actors::work_class))
CAF_ADD_TYPE_ID(musetalk, (musetalk::actors::device_status))
CAF_ADD_TYPE_ID(musetalk, (musetalk::actors::queue_status))
CAF_ADD_TYPE_ID(musetalk, (musetalk::actors::job_outcome))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::job_request))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::job_progress))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::job_view))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::job_page))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::job_filter))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::avatar))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::avatar_version))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::avatar_page))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::avatar_filter))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::page_request))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::media_info))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::version_plan))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::version_ref))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::retention_removal))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::retention_plan))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::request_key))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::job_event))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::job_history))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::event_query))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::event_page))
CAF_ADD_TYPE_ID(musetalk, (musetalk::actors::version_change))
CAF_ADD_TYPE_ID(musetalk, (musetalk::actors::video_id))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::job_kind))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::spoken_video))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::video_page))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::stored_video))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::speech_plan))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::link_plan))
CAF_ADD_TYPE_ID(musetalk, (musetalk::pipeline::preflight_report))

// At most 10 characters each in CAF 0.17.
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, began, "began")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, gone, "gone")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, commit, "commit")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, create, "create")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, release, "release")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, submit, "submit")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, look, "look")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, list, "list")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, await_end, "awaitend")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, cancel, "cancel")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, remove, "remove")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, status, "status")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, progress, "progress")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, outcome, "outcome")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, next, "next")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, start, "start")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, probe, "probe")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, validate, "validate")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, open, "open")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, pull, "pull")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, close, "close")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, encode, "encode")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, write, "write")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, verify, "verify")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, publish, "publish")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, discard, "discard")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, done, "done")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, tick, "tick")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, stop, "stop")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, resolve, "resolve")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, find, "find")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, locate, "locate")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, parse, "parse")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, follow, "follow")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, event, "event")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, history, "history")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, retry, "retry")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, activate, "activate")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, listen, "listen")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, generate, "generate")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, link, "link")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, examine, "examine")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, touch, "touch")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, pin, "pin")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, clean, "clean")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, scrub, "scrub")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, set_aside, "setaside")
CAF_ADD_ATOM(musetalk, musetalk::actors::atom, expire, "expire")

CAF_END_TYPE_ID_BLOCK(musetalk)

// These carry pixels, files or paths and stay in this process: nothing may serialise them.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::pipeline::clip_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::pipeline::prepared_batch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::pipeline::spooled_file)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::pipeline::store_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<const musetalk::pipeline::store_claims>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<musetalk::pipeline::image>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<musetalk::pipeline::latent>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<musetalk::pipeline::seen_faces>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<musetalk::pipeline::face_points>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::pipeline::speech_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::pipeline::speech_batch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::pipeline::film_plan)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<musetalk::pipeline::sound_segment>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<musetalk::pipeline::heard_sound>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<musetalk::pipeline::lip_request>)

// -- interfaces ---------------------------------------------------------------

namespace musetalk::actors {

/// The UPLOAD RECEIVER: owns uploads from their first byte to the job that takes them over.
using upload_receiver_actor = caf::typed_actor<
    // An upload has begun, or still moves: its folder exists and the clock of its expiry starts
    // anew.
    caf::reacts_to<atom::began, upload_id>,
    // The client went away or was refused: the folder is removed.
    caf::reacts_to<atom::gone, upload_id>,
    // The file has arrived whole: probes it and submits the job; answers the job, or why not (the
    // folder is then removed).
    caf::replies_to<atom::commit, pipeline::spooled_file,
                    pipeline::job_request>::with<pipeline::job_view>,
    // The same for a video that lies below a configured root.
    caf::replies_to<atom::create, pipeline::job_request>::with<pipeline::job_view>,
    // Answers what a job of that file, or of a video below a root, would meet. Nothing of it stays.
    caf::replies_to<atom::examine, pipeline::spooled_file>::with<pipeline::preflight_report>,
    caf::replies_to<atom::examine, std::string>::with<pipeline::preflight_report>,
    // The job that used the upload has ended: the folder is removed.
    caf::reacts_to<atom::release, upload_id>,
    // INTERNAL: removes uploads that stood still for too long.
    caf::reacts_to<atom::tick>>;

/// The REGISTRY: the only writer of the catalog. Queue order, job states, restart recovery. No
/// relation to CAF's actor registry.
using registry_actor = caf::typed_actor<
    // Queues a job; answers it, or `queue_full`, `avatar_busy`, `models_missing`, `stopping`,
    // `key_reused`. A request whose key came before has no effect and answers its job.
    caf::replies_to<atom::submit, pipeline::job_request>::with<pipeline::job_view>,
    // Answers what `submit` would answer a request now, without any effect.
    caf::replies_to<atom::examine, pipeline::job_request>::with<pipeline::job_view>,
    // Answers a job, or `job_not_found`.
    caf::replies_to<atom::look, job_id>::with<pipeline::job_view>,
    // Answers an avatar, or `avatar_not_found`.
    caf::replies_to<atom::look, avatar_id>::with<pipeline::avatar>,
    // Answers a page of avatars, by id.
    caf::replies_to<atom::list, pipeline::avatar_filter,
                    pipeline::page_request>::with<pipeline::avatar_page>,
    // Answers a page of jobs, newest first.
    caf::replies_to<atom::list, pipeline::job_filter,
                    pipeline::page_request>::with<pipeline::job_page>,
    // Answers the job once it is final. The asker's time-out is its own; waiters are bounded
    // (`queue_full`).
    caf::replies_to<atom::await_end, job_id>::with<pipeline::job_view>,
    // Withdraws a job: a queued one is cancelled at once, a running one when its runner has let go.
    // Answers the job as it then is, or `job_not_found`, `job_finished`, `key_reused`.
    caf::replies_to<atom::cancel, job_id, pipeline::request_key>::with<pipeline::job_view>,
    // Queues a failed or cancelled job once more, as its next attempt. `job_not_found`,
    // `job_active`, `job_finished` when it completed, `job_source_gone`, and as `submit`.
    caf::replies_to<atom::retry, job_id, pipeline::request_key>::with<pipeline::job_view>,
    // Answers a job with all that happened to it, or `job_not_found`.
    caf::replies_to<atom::history, job_id>::with<pipeline::job_history>,
    // Answers a page of what happened. Whoever follows is told of everything behind the page's
    // `last` afterwards, and of nothing in it. `job_not_found`.
    caf::replies_to<atom::event, pipeline::event_query>::with<pipeline::event_page>,
    // A JOB FOLLOWER wants to be told of everything from now on, until it ends.
    caf::reacts_to<atom::follow, caf::strong_actor_ptr>,
    // Removes an avatar with its versions. `avatar_busy` while a job runs for it, unless forced:
    // then the job is cancelled first. `avatar_not_found`, `precondition_failed` (the text is the
    // client's `If-Match`).
    caf::replies_to<atom::remove, avatar_id, bool, std::string>::with<avatar_id>,
    // Makes a version current, or removes one that is not; answers the avatar. `avatar_not_found`,
    // `version_not_found`, `version_current`, `version_busy`, `precondition_failed`, `avatar_busy`,
    // `key_reused`, `key_in_use`.
    caf::replies_to<atom::activate, version_change>::with<pipeline::avatar>,
    caf::replies_to<atom::remove, version_change>::with<pipeline::avatar>,
    // Answers a page of the videos that an avatar made, newest first; or one of them. Removes one.
    // `avatar_not_found`, `video_not_found`.
    caf::replies_to<atom::list, avatar_id, pipeline::page_request>::with<pipeline::video_page>,
    caf::replies_to<atom::look, video_id>::with<pipeline::spoken_video>,
    caf::replies_to<atom::remove, video_id>::with<video_id>,
    // Compares store and catalog, with checksums when it is told to; answers what does not fit.
    // `queue_full` while another check is under way.
    caf::replies_to<atom::verify, bool>::with<pipeline::store_report>,
    // Somebody uses the avatar. Answers it, or `avatar_not_found`.
    caf::replies_to<atom::touch, avatar_id>::with<pipeline::avatar>,
    // Pins an avatar, so that it never goes by itself, or lets go of it. Answers it, or
    // `avatar_not_found`.
    caf::replies_to<atom::pin, avatar_id, bool>::with<pipeline::avatar>,
    // Answers what the settings would have removed now. With true it is removed first; what could
    // not be is marked.
    caf::replies_to<atom::clean, bool>::with<pipeline::retention_plan>,
    // Answers the version whose files were compared with their sums the longest ago, if that was
    // before the time; else one without a name.
    caf::replies_to<atom::scrub, int64_t>::with<pipeline::version_ref>,
    // From the JANITOR: a version was compared. The text says what differs; empty: nothing. A
    // damaged one is set aside.
    caf::reacts_to<atom::scrub, pipeline::version_ref, std::string>,
    // From the JANITOR: forgets what has expired.
    caf::reacts_to<atom::tick>,
    // Answers the state of queue and device without asking anyone.
    caf::replies_to<atom::status>::with<queue_status>,
    // From the GPU SCHEDULER: the device as it now is.
    caf::reacts_to<atom::status, device_status>,
    // From a MUSETALK RUNNER: where its job stands.
    caf::reacts_to<atom::progress, pipeline::job_progress>,
    // From a MUSETALK RUNNER: how its job ended. Its last message.
    caf::reacts_to<atom::outcome, job_outcome>,
    // INTERNAL: starts queued jobs while there are places.
    caf::reacts_to<atom::next>,
    // Takes no new job, starts none, cancels none: running jobs are let go by the one who stops the
    // system.
    caf::reacts_to<atom::stop>>;

/// A JOB FOLLOWER: is told of every job by the REGISTRY, which sends each thing once and waits for
/// nothing. To tell many is the follower's business.
using job_follower_actor = caf::typed_actor<
    // A job has moved; durable, in the order of the sequence.
    caf::reacts_to<atom::event, pipeline::job_event>,
    // Where a job that is not final stands now.
    caf::reacts_to<atom::progress, pipeline::job_view>>;

/// A PREPROCESSOR: reads clips. One conducts at most one job's clip at a time. Spawn it detached.
using preprocessor_actor = caf::typed_actor<
    // Resolves a client's path below the configured roots; answers the file with its size and
    // SHA-256, or `video_path_forbidden`, `video_path_not_found` (`audio_*` for what is spoken).
    caf::replies_to<atom::resolve, std::string, pipeline::job_kind>::with<pipeline::spooled_file>,
    // Checks container, codec and limits of the file of such a job.
    caf::replies_to<atom::probe, std::string, pipeline::job_kind>::with<pipeline::media_info>,
    // Looks for everything that would keep a job of the file from completing.
    caf::replies_to<atom::examine, std::string>::with<pipeline::preflight_report>,
    // The same, and looks for one clear face in samples of it.
    caf::replies_to<atom::validate, job_id, pipeline::clip_request>::with<pipeline::media_info>,
    // Opens the clip of a job; one that was open before is closed.
    caf::replies_to<atom::open, job_id, pipeline::clip_request>::with<pipeline::media_info>,
    // The next prepared frames of the open clip, at most so many.
    caf::replies_to<atom::pull, job_id, int32_t>::with<pipeline::prepared_batch>,
    // Closes the clip of a job, if it is open.
    caf::reacts_to<atom::close, job_id>>;

/// The GPU SCHEDULER: owns the device, its networks and the only thread that computes on it. Spawn
/// it detached. Requests of one kind may share an execution, those of several jobs too; each is
/// answered in the order of its pictures, or with `device_busy`, `cancelled`, `device_failed`,
/// `device_out_of_memory`.
using gpu_scheduler_actor = caf::typed_actor<
    // Encodes crops (256 x 256 BGR) to latents.
    caf::replies_to<atom::encode, job_id, work_class,
                    std::vector<pipeline::image>>::with<std::vector<pipeline::latent>>,
    // Looks for faces in frames.
    caf::replies_to<atom::find, job_id, work_class,
                    std::vector<pipeline::image>>::with<std::vector<pipeline::seen_faces>>,
    // Places the points of the face in frames that show one.
    caf::replies_to<atom::locate, job_id, work_class,
                    std::vector<pipeline::image>>::with<std::vector<pipeline::face_points>>,
    // Parses pictures of faces (512 x 512 BGR) to class maps.
    caf::replies_to<atom::parse, job_id, work_class,
                    std::vector<pipeline::image>>::with<std::vector<pipeline::image>>,
    // Listens to segments of sound.
    caf::replies_to<atom::listen, job_id, work_class,
                    std::vector<pipeline::sound_segment>>::with<std::vector<pipeline::heard_sound>>,
    // Makes faces that speak (256 x 256 BGR).
    caf::replies_to<atom::generate, job_id, work_class,
                    std::vector<pipeline::lip_request>>::with<std::vector<pipeline::image>>,
    // Answers every queued request of the job with `cancelled`.
    caf::reacts_to<atom::cancel, job_id>,
    // The device as it now is.
    caf::replies_to<atom::status>::with<device_status>,
    // INTERNAL: runs the work at the head of the queue.
    caf::reacts_to<atom::next>>;

/// The STORAGE WRITER: the only one that writes below `AVATARS_DIR` (uploads apart). Spawn it
/// detached.
using storage_writer_actor = caf::typed_actor<
    // Opens staging for a job's version; answers the staging folder.
    caf::replies_to<atom::open, pipeline::version_plan>::with<std::string>,
    // Writes frames with their latents (none for mock); answers the count of frames written so far.
    caf::replies_to<atom::write, job_id, pipeline::prepared_batch,
                    std::vector<pipeline::latent>>::with<int64_t>,
    // Ends the lists and reads everything back; answers the count of frames.
    caf::replies_to<atom::verify, job_id>::with<int64_t>,
    // Makes the version visible, whole.
    caf::replies_to<atom::publish, job_id>::with<pipeline::avatar_version>,
    // Opens staging for the video of a job that speaks; answers the staging folder.
    caf::replies_to<atom::open, job_id>::with<std::string>,
    // Makes the staged video one of the avatar's.
    caf::replies_to<atom::publish, job_id, avatar_id>::with<pipeline::stored_video>,
    // Removes a video that an avatar made.
    caf::replies_to<atom::remove, video_id>::with<video_id>,
    // Makes a version of the files of another, visible and whole.
    caf::replies_to<atom::link, pipeline::link_plan>::with<pipeline::avatar_version>,
    // Removes a job's staging, if there is any; answers the job.
    caf::replies_to<atom::discard, job_id>::with<job_id>,
    // Removes an upload's folder, if there is any.
    caf::reacts_to<atom::discard, upload_id>,
    // Removes an avatar's link, versions and videos.
    caf::replies_to<atom::remove, avatar_id>::with<avatar_id>,
    // Switches an avatar's link to another version; `version_not_found`.
    caf::replies_to<atom::activate, avatar_id, std::string>::with<avatar_id>,
    // Removes one version, which the link must not name: `version_current`.
    caf::replies_to<atom::remove, avatar_id, std::string>::with<avatar_id>,
    // Compares the disk with what the catalog claims, a slice between two messages; with checksums
    // when it is told to. `queue_full` while it does so already.
    caf::replies_to<atom::verify, std::shared_ptr<const pipeline::store_claims>,
                    bool>::with<pipeline::store_report>,
    // Sets a damaged version aside; answers which one is current then. `version_not_found`.
    caf::replies_to<atom::set_aside, avatar_id, std::string>::with<std::string>,
    // From the REGISTRY: throws away uploads that are not in the list, and staging that nobody
    // writes, when they have not changed for long.
    caf::reacts_to<atom::expire, std::vector<std::string>>,
    // INTERNAL: looks at the next slice of the store.
    caf::reacts_to<atom::next>,
    // Deletes some files of what was removed. INTERNAL, and from the JANITOR: for those that had
    // their grace time.
    caf::reacts_to<atom::tick>>;

/// The JANITOR: sees to it that nothing stays for ever. Asks the others at a gentle pace, and
/// compares the files of versions with their sums. Spawn it detached: it reads the disk.
using janitor_actor = caf::typed_actor<
    // INTERNAL: one second has passed.
    caf::reacts_to<atom::tick>>;

/// A SPEECH READER: reads what one job is to say, and the avatar that says it. Ends with its job's
/// runner. Spawn it detached: it decodes, and waits for the device's audio network.
using speech_reader_actor = caf::typed_actor<
    // Opens both, and hears the sound to its end once: answers what will be made.
    caf::replies_to<atom::open, job_id, pipeline::speech_request>::with<pipeline::speech_plan>,
    // The next frames, at most so many.
    caf::replies_to<atom::pull, job_id, int32_t>::with<pipeline::speech_batch>>;

/// A FILM MAKER: blends faces into frames and encodes the video of one job. Ends with its job's
/// runner. Spawn it detached.
using film_maker_actor = caf::typed_actor<
    // Begins the video; answers the job.
    caf::replies_to<atom::open, job_id, pipeline::film_plan>::with<job_id>,
    // Appends frames with the faces of those that have one; answers the count of frames so far.
    caf::replies_to<atom::write, job_id, pipeline::speech_batch,
                    std::vector<pipeline::image>>::with<int64_t>,
    // Completes the file; answers the count of its frames.
    caf::replies_to<atom::close, job_id>::with<int64_t>>;

/// A MUSETALK RUNNER: conducts one job and ends with it. Credit bounds the batches that are out.
using musetalk_runner_actor = caf::typed_actor<
    // INTERNAL: begins. Sent once by the one who spawned it.
    caf::reacts_to<atom::start>,
    // Lets go: answers outcome `cancelled` to the REGISTRY when nothing of the job is out any more.
    caf::reacts_to<atom::cancel>,
    // INTERNAL: pulls, encodes, writes as far as credit allows.
    caf::reacts_to<atom::next>>;

} // namespace musetalk::actors
