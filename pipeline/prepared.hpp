#pragma once

#include "pipeline/image.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace musetalk::pipeline {

/// Side of the picture that the networks see, in pixels.
inline constexpr int32_t crop_size = 256;

/// A face in one frame, from any backend.
struct face {
  std::array<point, 68> landmarks; ///< iBUG-68 order, frame pixels.
  std::vector<point>
      outline; ///< Polygon of the face's oval in frame pixels; empty when the backend has none.
  float score = 0.f; ///< 0..1.
  std::optional<box>
      detected{}; ///< The detector's own box, for the box rule to fall back to; if it has one.
};

/// A frame with everything that the networks and the avatar folder need of it.
struct prepared_frame {
  frame source;
  box face_box;             ///< v1.5 rule with its bottom margin, clamped to the frame.
  image crop;               ///< `face_box` of the frame, 256 x 256 BGR (INTER_LANCZOS4).
  box mask_box;             ///< v1.5 crop box (spec 1.5), intersected with the frame.
  image mask;               ///< Gray, of the size of `mask_box`.
  bool held = false;        ///< The face was interpolated or held, not seen.
  std::optional<face> seen; ///< For the contact sheet.
};

/// Consecutive frames of one clip, in order.
struct prepared_batch {
  std::vector<prepared_frame> frames;
  bool last = false;          ///< Nothing follows. The batch may then be empty.
  int64_t frames_decoded = 0; ///< So far, for progress.
};

/// fp16 bits of one latent, `[1, 8, 32, 32]` row-major: masked (4 channels), reference (4
/// channels).
struct latent {
  std::shared_ptr<const std::vector<uint16_t>> half_bits; ///< 8192 values.
};

} // namespace musetalk::pipeline
