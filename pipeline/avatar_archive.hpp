#pragma once

#include "pipeline/job.hpp"
#include "pipeline/media_info.hpp"
#include "pipeline/media_limits.hpp"
#include "pipeline/prepared.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace musetalk::pipeline {

/// What an archive says of itself. Checked texts of closed lists, never trusted further.
struct archive_facts {
  int64_t frames = 0; ///< N, before mirroring.
  int32_t width = 0;  ///< Of a frame; 0 without frames.
  int32_t height = 0;
  std::string
      weights; ///< `synthetic` where the archive says so, else `real`; `none` without frames.
  std::string tutor_id;     ///< Empty when it has none, or none that is one.
  std::string video_sha256; ///< Of the video that the avatar was made of; empty when unknown.
  bool apply_blur = false;
};

/// Frames with their latents.
struct archive_batch {
  prepared_batch prepared;
  std::vector<latent> latents; ///< One for each frame.
};

/// What may be known of an archive before a job unpacks it: its table and lists are read.
/// @param scratch As for `avatar_archive`. @throws error as `avatar_archive`.
media_info probe_archive(const std::filesystem::path& tar, const std::filesystem::path& scratch,
                         const media_limits& limits);

/// Reads an avatar from a tar, as `avatar_export` writes it or as `tar c` makes it of a folder of
/// MuseTalk. The archive is hostile until shown otherwise: its names are of a closed list, its
/// pickles are read by a reader that executes nothing, its pictures are decoded within the limits,
/// and what is handed out is plain memory that a `version_writer` encodes anew. Everything else in
/// it (previews, texts) is left out. One thread at a time; memory does not grow with the frames.
class avatar_archive {
public:
  /// Reads the lists and compares their counts; boxes must lie in the frame.
  /// @param scratch Folder for the lists while they are read; exists.
  /// @throws error `request_malformed` with the first thing that does not hold, `video_too_long`
  /// for more frames than the limits allow, `storage_*`.
  avatar_archive(const std::filesystem::path& tar, const std::filesystem::path& scratch,
                 const media_limits& limits);
  avatar_archive(avatar_archive&&) noexcept;
  avatar_archive& operator=(avatar_archive&&) noexcept;
  ~avatar_archive();

  const archive_facts& facts() const noexcept;

  /// The next frames, at most so many; `last` comes with the final ones. @throws error
  /// `request_malformed` for a picture that cannot be decoded, or of another size than the lists
  /// say; `storage_failed`.
  archive_batch next(int32_t max_frames);

  /// Writes the video and looks whether it is one. @throws error `request_malformed`, `video_*`,
  /// `storage_*`.
  void unpack_video(const std::filesystem::path& to);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace musetalk::pipeline
