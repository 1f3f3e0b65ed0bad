#pragma once

#include "pipeline/image.hpp"

#include <cstdint>
#include <span>

namespace musetalk::pipeline {

/// The part of a frame that its mask lets change. Found once for each frame of a cycle.
struct blend_area {
  box place;  ///< Frame pixels, inside the frame; empty when nothing can change.
  image mask; ///< Gray, of the size of `place`.
};

/// Cuts a mask to what can change the frame: inside the frame and the face box, without rims of
/// zeros.
///
/// @param mask Gray, of the size of `mask_box`.
/// @param mask_box, face_box In frame pixels; may reach out of the frame, as upstream's do.
/// @param width, height Of the frame, pixels.
/// @throws error `avatar_damaged` when the mask is not of the size of its box.
blend_area find_blend_area(const image& mask, const box& mask_box, const box& face_box,
                           int32_t width, int32_t height);

/// Puts a generated face into a frame, in place: resized to the face box (INTER_LINEAR), then
/// pasted through the mask.
///
/// The same pixels as upstream's paste of the whole crop box: outside the face box that paste gives
/// the frame its own pixels.
/// Source: MuseTalk `musetalk/utils/blending.py`, `get_image_blending`; Pillow `Paste.c`,
/// `paste_mask_L`.
///
/// @param face BGR, usually 256 x 256.
/// @param frame BGR, `width * height * 3` bytes.
/// @throws error `internal` for a frame of another size than the area was found for.
void blend_face(const image& face, const box& face_box, const blend_area& area,
                std::span<uint8_t> frame, int32_t width, int32_t height);

} // namespace musetalk::pipeline
