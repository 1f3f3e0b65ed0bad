#pragma once

#include "pipeline/image.hpp"

#include <array>
#include <span>
#include <vector>

namespace musetalk::pipeline {

/// A face as S3FD sees it.
struct seen_face {
  box where; ///< Whole pixels; not left of or above the frame, may reach over its other edges.
  float score = 0.f; ///< 0.5..1.
};

/// The faces of one frame, best score first.
using seen_faces = std::vector<seen_face>;

/// The 68 points of a face in iBUG order, frame pixels, whole as upstream's are.
using face_points = std::array<point, 68>;

/// What face networks say about pictures. One thread at a time. Behind it are the networks
/// themselves, or an actor that owns them: then a call waits, within a limit, for its turn.
class face_analysis {
public:
  virtual ~face_analysis() = default;

  /// Looks for faces by S3FD at full resolution.
  /// @param frames BGR, sides of 32 to 8192 pixels.
  /// @returns One list per frame, in order.
  /// @throws error `device_failed`, `device_out_of_memory`, `cancelled`, `timeout`, `worker_died`,
  /// as all of them.
  virtual std::vector<seen_faces> find_faces(std::span<const image> frames) = 0;

  /// Places the 68 points by DWPose, which takes the whole frame for one person: ask only about
  /// frames that show a face.
  /// @param frames BGR. @returns One set per frame, in order.
  virtual std::vector<face_points> locate_points(std::span<const image> frames) = 0;

  /// Parses pictures of faces by BiSeNet.
  /// @param pictures BGR, 512 x 512 (`parsing_picture`).
  /// @returns One map of `face_class` per picture, in order: gray, 512 x 512.
  virtual std::vector<image> parse_faces(std::span<const image> pictures) = 0;
};

} // namespace musetalk::pipeline
