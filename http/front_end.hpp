#pragma once

// The threads of the gate never wait for an actor: a route checks the request, wraps the exchange
// and the checked values into one of these questions, and sends it to the FRONT END, which asks and
// answers the exchange from its own thread when the reply or its time-out comes.

#include "actors/interfaces.hpp"
#include "actors/metered.hpp"
#include "http/exchange.hpp"
#include "pipeline/avatar_store.hpp"
#include "pipeline/face_methods.hpp"
#include "pipeline/job.hpp"
#include "pipeline/upload_spool.hpp"
#include "pipeline/weights.hpp"

#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace musetalk::http {

/// How long a client wants to wait for the end of its job, if it does.
using wish_to_wait = std::optional<std::chrono::seconds>;

struct list_avatars {
  exchange_ptr to;
  pipeline::avatar_filter filter;
  pipeline::page_request page;
  bool detail = false;
};

struct show_avatar {
  exchange_ptr to;
  actors::avatar_id id;
};

struct show_picture {
  exchange_ptr to;
  actors::avatar_id id;
  std::string file; ///< Of a version's folder; one of ours, never from a request.
};

struct remove_avatar {
  exchange_ptr to;
  actors::avatar_id id;
  bool force = false;
  std::string if_match;
};

struct list_versions {
  exchange_ptr to;
  actors::avatar_id id;
};

struct activate_version {
  exchange_ptr to;
  actors::version_change change;
};

struct remove_version {
  exchange_ptr to;
  actors::version_change change;
};

struct list_videos {
  exchange_ptr to;
  actors::avatar_id id;
  pipeline::page_request page;
};

struct show_video {
  exchange_ptr to;
  actors::video_id id;
};

struct remove_video {
  exchange_ptr to;
  actors::video_id id;
};

/// For a job of any kind whose file lies on this machine.
struct touch_avatar {
  exchange_ptr to;
  actors::avatar_id id;
};

struct pin_avatar {
  exchange_ptr to;
  actors::avatar_id id;
  bool pinned = true;
};

struct clean_store {
  exchange_ptr to;
  bool apply = false; ///< Else only what would go is told.
};

struct create_avatar {
  exchange_ptr to;
  pipeline::job_request request;
  wish_to_wait wait;
};

/// What would become of a video below a root; nothing of it stays.
struct examine_video {
  exchange_ptr to;
  pipeline::job_request request;
};

/// An upload whose body is complete. The spool is ended by the one who handles it.
struct end_upload {
  exchange_ptr to;
  std::shared_ptr<pipeline::upload_spool> spool;
  pipeline::job_request request;
  wish_to_wait wait;
  bool examine = false; ///< Only look at it.
};

/// An upload whose file is closed and synced.
struct commit_upload {
  exchange_ptr to;
  pipeline::spooled_file file;
  pipeline::job_request request;
  wish_to_wait wait;
  bool examine = false; ///< Only look at it.
};

struct list_jobs {
  exchange_ptr to;
  pipeline::job_filter filter;
  pipeline::page_request page;
};

struct show_job {
  exchange_ptr to;
  actors::job_id id;
  bool history = false;
};

struct cancel_job {
  exchange_ptr to;
  actors::job_id id;
  pipeline::request_key key;
};

struct retry_job {
  exchange_ptr to;
  actors::job_id id;
  pipeline::request_key key;
};

struct check_store {
  exchange_ptr to;
  bool deep = false;
};

struct show_health {
  exchange_ptr to;
};

struct show_readiness {
  exchange_ptr to;
};

/// Figures of the service for a collector.
struct show_metrics {
  exchange_ptr to;
  /// Makes the answer; the REGISTRY's state is absent when it does not tell in time.
  std::function<response(const std::optional<actors::queue_status>&)> answer;
};

} // namespace musetalk::http

// These hold a connection, so they cannot leave this process.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::list_avatars)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::show_avatar)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::show_picture)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::remove_avatar)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::create_avatar)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::examine_video)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::end_upload)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::commit_upload)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::list_jobs)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::show_job)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::cancel_job)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::retry_job)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::list_versions)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::activate_version)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::remove_version)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::list_videos)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::show_video)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::remove_video)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::check_store)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::touch_avatar)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::pin_avatar)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::clean_store)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::show_health)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::show_readiness)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::show_metrics)

namespace musetalk::http {

/// The FRONT END: asks the REGISTRY and the UPLOAD RECEIVER for the clients. Answers each exchange
/// once, whatever becomes of the one it asked.
using front_end_actor = caf::typed_actor<
    // 200 with a page of avatars.
    caf::reacts_to<list_avatars>,
    // 200 with all of one avatar and its latest job.
    caf::reacts_to<show_avatar>,
    // 200 with a picture of the current version.
    caf::reacts_to<show_picture>,
    // 200 when the avatar is gone.
    caf::reacts_to<remove_avatar>,
    // 200 with the versions of an avatar; with those that are then left, and which is current.
    caf::reacts_to<list_versions>, caf::reacts_to<activate_version>, caf::reacts_to<remove_version>,
    // 200 with a page of an avatar's videos; with the file of one; when it is gone.
    caf::reacts_to<list_videos>, caf::reacts_to<show_video>, caf::reacts_to<remove_video>,
    // 200 with the avatar: it was used; it is pinned, or no more.
    caf::reacts_to<touch_avatar>, caf::reacts_to<pin_avatar>,
    // 200 with what goes, or would go.
    caf::reacts_to<clean_store>,
    // 202 with the job; 201 when it completed within the wait.
    caf::reacts_to<create_avatar>,
    // The same for an upload.
    caf::reacts_to<commit_upload>,
    // 200 with what a job of the video would meet.
    caf::reacts_to<examine_video>,
    // 200 with a page of jobs.
    caf::reacts_to<list_jobs>,
    // 200 with one job, with its history where that is wanted.
    caf::reacts_to<show_job>,
    // 202 while it is still letting go, 200 when it is cancelled.
    caf::reacts_to<cancel_job>,
    // 202 with the job, queued once more.
    caf::reacts_to<retry_job>,
    // 200 with what does not fit in store and catalog.
    caf::reacts_to<check_store>,
    // 200 with the state of everything.
    caf::reacts_to<show_health>,
    // 200 when avatars can be made, else 503 that says what is missing.
    caf::reacts_to<show_readiness>,
    // 200 with the figures of everything, also when the REGISTRY is stuck.
    caf::reacts_to<show_metrics>,
    // The service stops: clients that wait for the end of a job are told where it stands now.
    caf::reacts_to<actors::atom::stop>>;

/// What the FRONT END asks and needs to know.
struct front_end_config {
  actors::registry_actor registry;
  /// Asked anew for each use: one that died is replaced.
  std::function<actors::upload_receiver_actor()> uploads;
  pipeline::store_layout store;
  std::filesystem::path models_dir;
  bool weights_were_missing = false; ///< At the start; the device then never becomes ready.
  std::string face_backend;          ///< As wanted: `auto`, `dwpose` or `mediapipe`.
  pipeline::face_methods faces;      ///< As chosen, for health.
  std::string weights;               ///< `real`, `synthetic` or `none`.
  std::string mode;                  ///< `native` or `mock`.
  std::string engine;                ///< `native`.
  std::chrono::seconds timeout{30};  ///< Longest wait for a reply, a client's wish apart.
};

struct front_end_state {
  /// A client that waits for the end of a job.
  struct waiting {
    exchange_ptr to;
    pipeline::job_view job; ///< When it was accepted.
  };

  front_end_config config;
  std::map<uint64_t, waiting> waiters; ///< By a number that grows.
  uint64_t next_waiter = 0;
  bool stopping = false;                          ///< Nobody may wait any more.
  pipeline::weights_status weights;               ///< As last looked at.
  caf::actor_clock::time_point weights_looked_at; ///< Looking again is cheap, but not free.

  static inline const char* name = "front-end";
};

using front_end_pointer = actors::metered_actor<front_end_actor, front_end_state>*;

/// @param config Handles of the actors that it asks.
front_end_actor::behavior_type front_end(front_end_pointer self, const front_end_config& config);

/// The UPLOAD CLOSER: ends and syncs the files of uploads, which may take as long as the disk
/// likes. Spawn it detached.
using upload_closer_actor = caf::typed_actor<
    // Closes the file and passes it to the FRONT END; or fails the exchange, and the upload is
    // gone.
    caf::reacts_to<end_upload>>;

struct upload_closer_state {
  static inline const char* name = "upload-closer";
};

using upload_closer_pointer = actors::metered_actor<upload_closer_actor, upload_closer_state>*;

/// @param uploads As in `front_end_config`.
upload_closer_actor::behavior_type
upload_closer(upload_closer_pointer self, const front_end_actor& next,
              const std::function<actors::upload_receiver_actor()>& uploads);

} // namespace musetalk::http
