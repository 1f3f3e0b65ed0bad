#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace musetalk::pipeline {

struct weights_status;

/// Who finds the face of a frame.
enum class face_backend : uint8_t {
  mediapipe = 1, ///< Detector and mesh, packaged; runs where the clip is read.
  dwpose,        ///< S3FD and DWPose, MuseTalk's own; runs on the device.
};

/// Where the classes come from that a mask is made of.
enum class mask_source : uint8_t {
  polygon = 1, ///< Drawn from the points of the face.
  bisenet,     ///< Face parsing, MuseTalk's own; runs on the device.
};

/// Which classes make the mask.
enum class parsing_mode : uint8_t {
  jaw = 1, ///< v1.5: skin grown towards the jaw, without the nose, with the mouth.
  neck,    ///< Skin, mouth and neck.
  raw,     ///< Skin and mouth: v1.0.
};

/// How faces are found and masked. Equal for all jobs of a service; told in log, health and
/// manifest.
struct face_methods {
  face_backend backend = face_backend::mediapipe;
  mask_source mask = mask_source::polygon;
  parsing_mode mode = parsing_mode::jaw;

  /// Whether frames or their faces are sent to the device.
  bool on_device() const { return backend == face_backend::dwpose || mask == mask_source::bisenet; }

  friend bool operator==(const face_methods&, const face_methods&) = default;
};

/// `mediapipe`, `dwpose`.
std::string_view to_string(face_backend x) noexcept;

/// `polygon`, `bisenet`.
std::string_view to_string(mask_source x) noexcept;

/// `jaw`, `neck`, `raw`.
std::string_view to_string(parsing_mode x) noexcept;

/// `dwpose, masks by bisenet (jaw)`: for the log.
std::string describe(const face_methods& x);

/// The methods of a service, and what its operator should know about them.
struct face_choice {
  face_methods methods;
  std::vector<std::string> notes; ///< Why not the better ones: a sentence for each.
};

/// Decides by what is there. Real weights: `dwpose` where its files are usable, unless `mediapipe`
/// is wanted; BiSeNet where its file is usable. Synthetic ones: `mediapipe` with polygons, unless
/// `dwpose` is wanted: then all of these networks are synthetic.
/// @param backend `auto`, `dwpose` or `mediapipe`.
/// @param mode `jaw`, `neck` or `raw`.
/// @throws error `settings_invalid` for any other word.
face_choice choose_faces(const std::string& backend, const std::string& mode,
                         const weights_status& weights);

} // namespace musetalk::pipeline
