#pragma once

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
};

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

} // namespace musetalk::pipeline
