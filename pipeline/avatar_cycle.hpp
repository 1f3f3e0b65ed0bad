#pragma once

#include "pipeline/face_blend.hpp"
#include "pipeline/frame_cache.hpp"
#include "pipeline/image.hpp"
#include "pipeline/job.hpp"
#include "pipeline/prepared.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace musetalk::pipeline {

/// A frame of an avatar with what a face needs to be put into it.
struct cycle_frame {
  image picture;     ///< BGR.
  bool face = false; ///< False for a frame in which the one who made the avatar saw no face.
  box face_box;      ///< Frame pixels; may reach out of the frame in avatars of upstream.
  blend_area area;
};

/// The frame that is shown at a step of a video.
/// @param step, start 0 or more. @param frames At least 1.
/// @returns `0..frames-1`; `frames` where the video has ended with the frames (`cut_off`).
int64_t frame_of_step(int64_t step, int64_t start, int64_t frames, sync_mode mode) noexcept;

/// An avatar folder as it is played: this service's, MuseTalk's own, or LiveTalking's, unchanged
/// and read-only. The readers of one version may go on while another is published: its files are
/// listed once, and a link is followed once. One thread at a time.
class avatar_cycle {
public:
  /// Reads the lists and the latents (16 KiB for each frame), but no pictures.
  /// @param cache_bytes For decoded frames, kept compressed; beyond it the least recently used go.
  /// @throws error `avatar_not_found`, `avatar_damaged`.
  avatar_cycle(const std::filesystem::path& folder, uint64_t cache_bytes);

  /// Frames in one direction: a folder that holds them forwards and backwards has half as many as
  /// pictures.
  int64_t frames() const noexcept { return static_cast<int64_t>(entries_.size()); }

  /// Of every frame, pixels.
  int32_t width() const noexcept { return width_; }
  int32_t height() const noexcept { return height_; }

  /// Whether there is a face in a frame. @param number `0..frames()-1`, as for all of these.
  bool has_face(int64_t number) const { return entry(number).face; }

  /// What the networks see of a frame that has a face.
  const latent& latent_at(int64_t number) const { return entry(number).code; }

  /// @throws error `avatar_damaged`.
  cycle_frame frame_at(int64_t number);

private:
  struct listed_frame {
    std::filesystem::path picture;
    std::filesystem::path mask;
    box face_box;
    box mask_box;
    bool face = false;
    latent code;
    std::optional<box> changed; // the place of its blend area, once that was found
  };

  const listed_frame& entry(int64_t number) const {
    return entries_.at(static_cast<size_t>(number));
  }
  void read_lists(const std::filesystem::path& folder);
  void fold();
  image picture_of(size_t number);
  blend_area area_of(size_t number);

  std::vector<listed_frame> entries_;
  int32_t width_ = 0;
  int32_t height_ = 0;
  frame_cache cache_;
};

} // namespace musetalk::pipeline
