#pragma once

#include "pipeline/face_parsing.hpp"
#include "pipeline/image.hpp"
#include "pipeline/prepared.hpp"

namespace musetalk::pipeline {

/// Where a generated face is blended into its frame, and how much.
struct face_mask {
  box place;  ///< v1.5 crop box, intersected with the frame.
  image mask; ///< Gray, of the size of `place`.
};

/// The v1.5 crop box: a square of 1.5 times the longer side of the face box around its middle. May
/// reach over the frame's edges. Example: (61, 0, 277, 318) gives (-69, -79, 407, 397).
box mask_crop_box(const box& face_box);

/// The v1.5 blending mask from a 512 x 512 mask of the crop box: resized (Pillow, BICUBIC), kept
/// only inside the face box and in the lower half, blurred, and cut to the frame.
///
/// Source: MuseTalk `musetalk/utils/blending.py`, `get_image_prepare_material` (spec of the folder:
/// crop box and mask may be cut alike without changing the blended picture).
///
/// @param parsing Gray, 512 x 512, 0 or 255, of `mask_crop_box(face_box)`: from
/// `mask_of_classes`.
/// @param face_box `ruled_box::whole`, not the clamped one.
/// @param width, height Of the frame, pixels.
/// @throws error `internal` when the face box is empty or its crop box misses the frame.
face_mask mask_from_parsing(const image& parsing, const box& face_box, int32_t width,
                            int32_t height);

/// The same with the points of a face in place of a parsing network:
/// `mask_from_parsing(mask_of_classes(parsing_from_face(found, mask_crop_box(face_box)), mode),
/// ...)`.
face_mask mask_from_face(const face& found, const box& face_box, int32_t width, int32_t height,
                         parsing_mode mode = parsing_mode::jaw);

} // namespace musetalk::pipeline
