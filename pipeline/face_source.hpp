#pragma once

#include "pipeline/clip_preparer.hpp"
#include "pipeline/face_analysis.hpp"
#include "pipeline/prepared.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace musetalk::pipeline {

/// Finds the face in the frames of one clip, which come in their order. One thread at a time.
class face_source {
public:
  virtual ~face_source() = default;

  /// @param frames The next ones, BGR.
  /// @returns One entry per frame, in order; nothing where no face is.
  virtual std::vector<std::optional<face>> find(std::span<const image> frames) = 0;
};

/// MediaPipe's detector and mesh, which follow the face from frame to frame.
/// @throws error `models_missing`, `models_invalid`.
std::unique_ptr<face_source> track_faces(const std::filesystem::path& models_dir);

/// MuseTalk's own way: S3FD decides whether a frame shows a face, DWPose places its points.
/// @param analysis Not null.
std::unique_ptr<face_source> ask_for_faces(face_analysis_ptr analysis);

/// A face out of what the two networks say: S3FD's best box is what the box rule falls back to, the
/// outline is drawn from jaw and brows, for masks without face parsing.
/// @param seen Not empty.
face face_of(const seen_faces& seen, const face_points& points);

} // namespace musetalk::pipeline
