#pragma once

#include "pipeline/face_detector.hpp"
#include "pipeline/face_mesh.hpp"
#include "pipeline/image.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace musetalk::pipeline {

/// Looks for all faces of single pictures: the far detector, each hit confirmed by the mesh network
/// (which rejects blurred heads and pictures on the wall), and the near detector where that finds
/// nobody. One thread at a time.
class face_finder {
public:
  /// @throws error `models_missing`, `models_invalid`.
  explicit face_finder(const std::filesystem::path& models_dir);

  /// Confirmed faces, largest first. @param picture BGR. @throws error `device_failed`.
  std::vector<detection> find(const image& picture);

private:
  face_detector far_;
  face_detector near_;
  face_mesh mesh_;
};

/// What the sampled frames say about a clip.
enum class sample_verdict : uint8_t {
  one_face = 1,
  no_face,       ///< In no sample.
  several_faces, ///< A second face of comparable size in enough samples.
  too_small,     ///< One face, but narrower than the limit.
};

/// A verdict with what was measured.
struct sample_report {
  sample_verdict verdict = sample_verdict::no_face;
  int32_t samples = 0;           ///< Frames looked at.
  int32_t samples_with_face = 0; ///< Frames with at least one face.
  int32_t samples_with_more = 0; ///< Frames with a second face of comparable size.
  int32_t most_faces = 0;        ///< The most comparable faces in one frame.
  float face_width = 0.f;        ///< Median width of the largest face, pixels.
};

/// Judges the faces of sampled frames. A second face counts when its side is at least half the
/// largest one's; it makes `several_faces` when it is there in at least a third of the samples that
/// show a face (one slip of the detector in seven does not).
/// @param samples One list per frame, from `face_finder::find`.
sample_report judge_samples(std::span<const std::vector<detection>> samples,
                            int32_t min_face_pixels);

/// Does nothing for one clear face.
/// @throws error `face_none`, `face_several`, `face_too_small`, with what was measured.
void require_one_face(const sample_report& report, int32_t min_face_pixels);

} // namespace musetalk::pipeline
