#pragma once

#include "pipeline/face_methods.hpp"
#include "pipeline/job.hpp"
#include "pipeline/media_info.hpp"
#include "pipeline/prepared.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace musetalk::pipeline {

class disk_budget;

/// The folders below `AVATARS_DIR`.
struct store_layout {
  std::filesystem::path root; ///< `AVATARS_DIR`.

  std::filesystem::path link(const std::string& avatar_id) const { return root / avatar_id; }
  std::filesystem::path versions(const std::string& avatar_id) const {
    return root / ".store" / avatar_id;
  }
  std::filesystem::path version(const std::string& avatar_id, const std::string& version) const {
    return versions(avatar_id) / version;
  }
  std::filesystem::path staging(const std::string& job_id) const {
    return root / ".staging" / job_id;
  }
  std::filesystem::path videos(const std::string& avatar_id) const {
    return root / ".videos" / avatar_id;
  }
  std::filesystem::path video(const std::string& avatar_id, const std::string& video_id) const {
    return videos(avatar_id) / (video_id + ".mp4");
  }
  std::filesystem::path upload(const std::string& upload_id) const {
    return root / ".uploads" / upload_id;
  }
  /// What was removed and waits to be deleted.
  std::filesystem::path trash() const { return root / ".trash"; }
  /// Versions whose files differ from what was written.
  std::filesystem::path damaged() const { return root / ".store" / ".damaged"; }
  std::filesystem::path catalog() const { return root / "musetalkd.db"; }
};

/// What goes into a version beside the frames.
struct version_plan {
  std::string job_id;
  std::string avatar_id;
  std::string tutor_id;
  bool apply_blur = false;
  std::string engine;     ///< `native` or `mock`.
  std::string weights;    ///< `real`, `synthetic` or `none`.
  std::string video_name; ///< As the client gave it; display only.
  std::string video_sha256;
  media_info source;
  face_methods faces;      ///< Of no meaning in mock mode.
  std::string options_key; ///< As `job::options_key`.
  /// Once it is asked for, writing and verifying end with `cancelled`. Stays in this process.
  std::stop_token stop{};
};

/// A version that is made of the files of another.
struct link_plan {
  std::string job_id;
  std::string avatar_id;
  std::string tutor_id;
  std::string video_name; ///< As the client gave it; display only.
  version_ref from;
};

/// Writes one version of an avatar, in staging, and publishes it whole. One thread at a time.
/// Destroying an unpublished writer removes its staging folder.
class version_writer {
public:
  virtual ~version_writer() = default;

  /// The staging folder; exists. `video.mp4` in it is written by the clip's preparer.
  virtual const std::filesystem::path& folder() const = 0;

  /// Writes PNGs and keeps box and latent. Frames come in order, without gaps.
  /// @param latents One per frame. @throws error `storage_*`.
  virtual void write(std::span<const prepared_frame> frames, std::span<const latent> latents) = 0;

  /// Ends the lists (palindrome, pickles, latents.pt, preview, contact sheet) and reads everything
  /// back: counts, shapes, finite values. @throws error `avatar_damaged`, `storage_*`.
  virtual void verify() = 0;

  /// Syncs, writes the manifest, moves the folder into the store under the next version number and
  /// switches the avatar's link. The writer is done afterwards. @throws error `storage_*`.
  virtual avatar_version publish() = 0;
};

/// What start-up found on disk.
struct store_scan {
  std::vector<avatar>
      avatars; ///< Every avatar with its versions, adopted plain folders among them.
  std::vector<stored_video> videos;   ///< Every video that an avatar made.
  std::vector<std::string> published; ///< Versions that a crash had kept from the store.
  std::vector<std::string> removed; ///< Half versions, staging and uploads that were cleaned away.
  std::vector<std::string> ignored; ///< What looks like an avatar and is none, with the reason.
};

/// The avatars' files. The only code that makes, moves or deletes them. One thread at a time.
class avatar_store {
public:
  virtual ~avatar_store() = default;

  virtual const store_layout& layout() const = 0;

  /// Removes what a crash left (staging, half versions, uploads not in `kept_uploads`), adopts
  /// plain folders, and lists what is there. A version in staging that was complete and synced is
  /// published after all, if its job is one of `running_jobs`. A version whose files differ from
  /// its manifest is moved to `.store/.damaged` and deleted when it has lain there for the policy's
  /// time; a plain folder and a link to elsewhere are left as they are. Open the catalog before:
  /// its lock keeps a second process from cleaning up under this one. @throws error `storage_*`.
  virtual store_scan recover(std::span<const std::string> kept_uploads,
                             std::span<const std::string> running_jobs = {}) = 0;

  /// Starts a version. The store outlives its writers. @throws error `storage_*` (`storage_full`
  /// with the numbers when its predicted size does not fit), `avatar_id_invalid`.
  virtual std::unique_ptr<version_writer> begin(const version_plan& plan) = 0;

  /// Makes a version of an avatar whose files are second names of another version's, and makes it
  /// current, as a writer's `publish` does. What names an avatar is written anew. Costs
  /// milliseconds and no room. @throws error `version_not_found`, `avatar_damaged`, `storage_*`.
  virtual avatar_version link_version(const link_plan& plan) = 0;

  /// Removes an avatar: link first, then its versions and videos. It is gone for everybody
  /// afterwards and its name is free; its files are left to `sweep`. Removing what is not there is
  /// no error.
  virtual void remove_avatar(const std::string& avatar_id) = 0;

  /// Makes a version current by switching the avatar's link, in one step for who reads it; who has
  /// files of another version open keeps them. @throws error `version_not_found`, `storage_*`.
  virtual void activate_version(const std::string& avatar_id, const std::string& version) = 0;

  /// Removes a version that is not current; its files are left to `sweep`. Removing what is not
  /// there is no error.
  /// @throws error `version_current`, `storage_*`.
  virtual void remove_version(const std::string& avatar_id, const std::string& version) = 0;

  /// An empty staging folder for a video of a job. What an attempt before left goes.
  /// @throws error `storage_*`.
  virtual std::filesystem::path open_staging(const std::string& job_id) = 0;

  /// Makes `video.mp4` of a job's staging folder the avatar's video of the job's id: synced, then
  /// moved. The staging folder is gone afterwards. @throws error `storage_*`.
  virtual stored_video publish_video(const std::string& job_id, const std::string& avatar_id) = 0;

  /// Removes a video, if it is there; who reads it reads it to its end. @throws error `storage_*`.
  virtual void remove_video(const std::string& avatar_id, const std::string& video_id) = 0;
  /// Moves a damaged version out of the way, to `.store/.damaged`. If it is the current one, the
  /// newest other version becomes current first; without any, the avatar's link goes.
  /// @returns the version that is current then; empty when there is none. @throws error
  /// `storage_*`, `version_not_found`.
  virtual std::string set_aside_version(const std::string& avatar_id,
                                        const std::string& version) = 0;

  /// Throws away staging folders and uploads that nobody needs and that have not changed for the
  /// policy's time. @returns what went, for the log. @throws error `storage_*`.
  virtual std::vector<std::string> expire(std::span<const std::string> needed_staging,
                                          std::span<const std::string> needed_uploads) = 0;

  /// Removes a staging folder, if it is there; its files are left to `sweep`.
  virtual void discard_staging(const std::string& job_id) = 0;

  /// Removes an upload, if it is there.
  virtual void discard_upload(const std::string& upload_id) = 0;

  /// Deletes files of what was removed, by recovery too, at most so many names. Versions are left
  /// for the policy's grace time, unless the disk is short of room. @returns whether more could be
  /// deleted now.
  /// @throws error `storage_*` where something cannot be deleted: that is left to the next start.
  virtual bool sweep(size_t most) = 0;
};

/// How long things are kept.
struct store_policy {
  std::chrono::days keep_damaged{30}; ///< Versions that were set aside as damaged.
  /// Files of a removed version: who has its folder open still finds them.
  std::chrono::seconds grace{0};
  uint64_t short_bytes = 1'000'000'000;  ///< With less free on the disk there is no grace.
  std::chrono::seconds stale{3'600};     ///< Staging and uploads that nobody needs.
  std::function<timestamp_us()> now_us;  ///< The system's clock when it is not set.
  std::shared_ptr<disk_budget> budget{}; ///< Each version claims its room there; null: no claims.
};

using avatar_store_factory = std::function<std::unique_ptr<avatar_store>()>;

/// Opens (and makes, where missing) the folders below `root`.
/// @throws error `storage_*` when it cannot be written.
std::unique_ptr<avatar_store> open_avatar_store(const std::filesystem::path& root,
                                                const store_policy& policy = {});

} // namespace musetalk::pipeline
