#pragma once

#include "pipeline/face_analysis.hpp"
#include "pipeline/face_methods.hpp"
#include "pipeline/media_info.hpp"
#include "pipeline/prepared.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

namespace musetalk::pipeline {

/// What to make of one clip.
struct clip_request {
  std::filesystem::path source;     ///< The video; read only.
  std::filesystem::path video_path; ///< Where the 25 fps H.264 goes; must not exist. Empty: none.
  bool apply_blur = false;
  bool convert_only = false; ///< Mock: write the video, prepare nothing.
  /// Once it is asked for, the work ends with `cancelled` after the picture at hand.
  std::stop_token stop{};
};

/// How to prepare. From the settings; equal for all jobs.
struct prepare_config {
  media_limits limits;
  std::filesystem::path face_models_dir; ///< Folder of the packaged face networks (ONNX).
  face_methods faces;                    ///< Who finds and masks the face.
  std::string x264_preset = "veryfast";
  int32_t video_kilobits_per_second = 3000;
  int32_t max_gap_frames = 12;     ///< Frames without a face that may be interpolated.
  int32_t face_samples = 7;        ///< Frames looked at before the work starts.
  int32_t min_face_pixels = 40;    ///< Width of the face box.
  double blur_strength = 2.;       ///< Of the background's blur, percent of the longer side.
  double max_damaged_share = 0.02; ///< Of the frames, before the video is refused.
  int32_t threads = 0;             ///< For codecs and face networks; 0 = all cores.
};

/// Where the wall time of a clip went so far, seconds, and what was found on the way.
struct prepare_times {
  double decode_s = 0.;  ///< Reading, decoding, deinterlacing.
  double colour_s = 0.;  ///< To BGR, rotation, square pixels.
  double convert_s = 0.; ///< Encoding and writing `video_path`.
  double blur_s = 0.;
  double detect_s = 0.; ///< Face networks, the wait for the device among it, and the box rule.
  double crop_s = 0.;
  double mask_s = 0.;
  int64_t damaged_frames = 0; ///< Could not be decoded whole; tolerated.
  int64_t held_frames = 0;    ///< Handed out with a face that was not seen but interpolated.
};

/// Reads one clip once and hands out prepared frames in order: decodes, converts to 25 fps (writing
/// `video_path` on the way), finds the face, crops and masks. Memory does not grow with the clip's
/// length. Used by one thread at a time. Destroying it early leaves a partial `video_path` to the
/// caller.
class clip_preparer {
public:
  virtual ~clip_preparer() = default;

  /// What the container promises.
  virtual const media_info& info() const = 0;

  /// The next frames, at most `max_frames`, in order and without gaps; `last` is set with the final
  /// ones, and `video_path` is complete then.
  /// @throws error `video_*`, `face_*`, `storage_*`. The preparer is of no use afterwards.
  virtual prepared_batch next(int32_t max_frames) = 0;

  /// For the job's timings. Preparers that measure nothing answer zeros.
  virtual prepare_times times() const { return {}; }
};

/// The face networks of a device; null where the methods need none.
using face_analysis_ptr = std::shared_ptr<face_analysis>;

/// Makes the preparer of one clip. Called on the thread that will use it.
using clip_preparer_factory =
    std::function<std::unique_ptr<clip_preparer>(const clip_request&, const face_analysis_ptr&)>;

/// Checks container, codec, duration, pixels and predicted frames without decoding the clip.
/// Bounded in time and memory whatever the file is.
/// @throws error `video_*`.
media_info probe_video(const std::filesystem::path& source, const media_limits& limits);

/// Looks at a few frames of the clip for one clear face, with the detector of the backend.
/// @param analysis Needed for `dwpose` only.
/// @throws error `face_none`, `face_several`, `video_*`, `models_*`, `cancelled`, and those of
/// `face_analysis`.
void check_faces(const std::filesystem::path& source, const prepare_config& config,
                 const face_analysis_ptr& analysis = nullptr, const std::stop_token& stop = {});

/// The native preparer: libav, and the face methods of the settings. Asks `analysis` for all frames
/// of a batch at once.
/// @param analysis Not null where `prepare_config::faces` says that the device takes part.
std::unique_ptr<clip_preparer> open_clip(const clip_request& request, const prepare_config& config,
                                         const face_analysis_ptr& analysis = nullptr);

} // namespace musetalk::pipeline
