#pragma once

#include "models/latent_encoder.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace musetalk::models {

/// A borrowed frame: `[height, width, 3]`, BGR, row-major, no padding.
struct bgr_frame {
  std::span<const uint8_t> pixels;
  int width = 0;  ///< Pixels, at least 32.
  int height = 0; ///< Pixels, at least 32.
};

/// A face in frame pixels; may reach out of the frame.
struct found_face {
  double left = 0, top = 0, right = 0, bottom = 0;
  double score = 0; ///< 0.5 to 1.
};

/// Faces by S3FD at full resolution. Owns its weights. Not thread-safe.
class face_finder {
public:
  virtual ~face_finder() = default;

  /// Frames of one size go through the network together.
  /// @param frames Memory grows with their pixels: about 1.5 GB for one of 1920 x 1080 on a CPU.
  /// @returns The faces of each frame, best first.
  /// @throws musetalk::error `internal` for a frame without pixels, `device_out_of_memory`,
  /// `device_failed`. Source: face-alignment `SFDDetector`, as MuseTalk carries it
  /// (musetalk/utils/face_detection).
  virtual std::vector<std::vector<found_face>> find(std::span<const bgr_frame> frames) = 0;

  virtual device_report report() const = 0;
};

/// Loads S3FD from `models_dir/s3fd/s3fd-619a316812.pth` or from where upstream keeps it. Synthetic
/// weights know no faces: the network runs, and one in the middle of the frame is answered instead
/// of what it says.
/// @throws musetalk::error `models_missing`, `models_invalid`, `device_failed`.
std::unique_ptr<face_finder> make_face_finder(const load_options& options);

} // namespace musetalk::models
