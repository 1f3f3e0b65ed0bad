#pragma once

#include "pipeline/face_methods.hpp"
#include "pipeline/image.hpp"
#include "pipeline/prepared.hpp"

#include <cstdint>

namespace musetalk::pipeline {

/// Side of the class map that the mask is made from.
inline constexpr int32_t parsing_size = 512;

/// The classes of face parsing (CelebAMask-HQ numbering, as BiSeNet's) that the mask looks at.
enum class face_class : uint8_t {
  background = 0,
  skin = 1,
  nose = 10,
  mouth = 11, ///< Inside of the lips.
  upper_lip = 12,
  lower_lip = 13,
  neck = 14,
};

/// What a parsing network sees of a frame: the crop box, black where it reaches over the frame's
/// edges, at 512 x 512 (Pillow, BILINEAR).
///
/// Source: MuseTalk `musetalk/utils/blending.py` (`crop`) and `musetalk/utils/face_parsing`
/// (`resize`).
///
/// @param crop_box `mask_crop_box`; not empty.
/// @throws error `internal` for an empty one.
image parsing_picture(const image& picture, const box& crop_box);

/// A class map drawn from a face's points, in place of a parsing network's: skin inside the
/// outline, with nose, lips and the inside of the mouth on top.
/// @param crop_box The square that the map shows (`mask_crop_box`), frame pixels.
/// @returns Gray, 512 x 512, values of `face_class`.
/// @throws error `internal` for a face without an outline or an empty crop box.
image parsing_from_face(const face& found, const box& crop_box);

/// MuseTalk's mode `jaw`: skin grown towards the jaw between the cheeks and shrunk on them, without
/// the nose, with the mouth.
///
/// Source: MuseTalk `musetalk/utils/face_parsing/__init__.py`, mode `jaw`, cheek widths 90.
///
/// @param classes Gray, 512 x 512, one class per pixel, from any source.
/// @returns Gray, 512 x 512, 0 or 255.
/// @throws error `internal` for another size.
image jaw_mask(const image& classes);

/// The mask of a mode: `jaw_mask`, or simply the classes that belong to it (`neck`: skin, mouth,
/// lips, neck; `raw`: the same without the neck).
///
/// Source: MuseTalk `musetalk/utils/face_parsing/__init__.py`, `FaceParsing.__call__`.
///
/// @param classes As for `jaw_mask`. @throws error `internal` for another size.
image mask_of_classes(const image& classes, parsing_mode mode);

} // namespace musetalk::pipeline
