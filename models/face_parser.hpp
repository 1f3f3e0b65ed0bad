#pragma once

#include "models/latent_encoder.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace musetalk::models {

/// Side of the picture that is parsed, in pixels.
inline constexpr int parsing_side = 512;

/// A borrowed picture: `[512, 512, 3]`, **RGB**, row-major, no padding, already resized (Pillow's
/// BILINEAR).
struct rgb_picture {
  std::span<const uint8_t> pixels; ///< Exactly `3 * 512 * 512`.
};

/// A class per pixel, `[512, 512]`: 0 background, 1 skin, 10 nose, 11 mouth, 12 upper lip, 13 lower
/// lip, 14 neck, ...
using class_map = std::vector<uint8_t>;

/// Face parsing by BiSeNet. Owns its weights. Not thread-safe: one caller at a time.
class face_parser {
public:
  virtual ~face_parser() = default;

  /// @returns One map per picture, in order.
  /// @throws musetalk::error `internal` for a picture of another size, `device_out_of_memory`,
  /// `device_failed`. Source: MuseTalk `FaceParsing.__call__`
  /// (musetalk/utils/face_parsing/__init__.py).
  virtual std::vector<class_map> parse(std::span<const rgb_picture> pictures) = 0;

  virtual device_report report() const = 0;
};

/// Loads BiSeNet from `models_dir/face-parse-bisent/79999_iter.pth` (or makes a synthetic one).
/// @throws musetalk::error `models_missing`, `models_invalid`, `device_failed`.
std::unique_ptr<face_parser> make_face_parser(const load_options& options);

} // namespace musetalk::models
