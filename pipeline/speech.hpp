#pragma once

#include "pipeline/face_blend.hpp"
#include "pipeline/image.hpp"
#include "pipeline/job.hpp"
#include "pipeline/prepared.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace musetalk::pipeline {

/// Values that many holders may share, as `bytes_ptr`.
using floats_ptr = std::shared_ptr<const std::vector<float>>;

/// Samples of sound that the audio network hears at once.
inline constexpr size_t segment_samples = 480'000;

/// At most `segment_samples` of sound: 16 kHz, mono, -1 to 1. Only the last of a file is shorter.
struct sound_segment {
  floats_ptr samples;
};

/// What the audio network makes of a segment: `[steps, layers, channels]`, 50 steps a second, those
/// of the silence behind a short segment among them.
struct heard_sound {
  int64_t steps = 0;
  int64_t layers = 0;
  int64_t channels = 0;
  floats_ptr values;
};

/// What the networks make one face of.
struct lip_request {
  latent code;      ///< Of the avatar's frame.
  floats_ptr heard; ///< `[window * layers, channels]`: the sound around the frame.
};

/// The audio network. One thread at a time. Behind it is the network itself, or an actor that owns
/// it: then a call waits, within a limit, for its turn.
class sound_analysis {
public:
  virtual ~sound_analysis() = default;

  /// @returns One answer per segment, in order. @throws error as `face_analysis`.
  virtual std::vector<heard_sound> listen(std::span<const sound_segment> segments) = 0;
};

/// What an avatar is to say.
struct speech_request {
  std::filesystem::path sound;  ///< A file of any kind that libav reads; read only.
  std::filesystem::path avatar; ///< Folder of a version; read only.
  speech_options options;
};

/// What a job that speaks will make.
struct speech_plan {
  int64_t frames = 0;
  int32_t width = 0; ///< Pixels, of the avatar's frames.
  int32_t height = 0;
  double duration_s = 0.; ///< Of the sound.
};

/// A frame of a talking video before its face is there.
struct speech_frame {
  int64_t index = 0; ///< In the video, from 0.
  image picture;     ///< Of the avatar, BGR.
  bool face = false; ///< False: shown as it is.
  box face_box;      ///< Frame pixels; may reach out of the frame.
  blend_area area;
  lip_request lips; ///< Empty without a face.
};

/// Consecutive frames of a talking video, in order.
struct speech_batch {
  std::vector<speech_frame> frames;
  bool last = false; ///< Nothing follows.
};

/// Which video to write.
struct film_plan {
  std::filesystem::path file;  ///< Must not exist.
  std::filesystem::path sound; ///< What was spoken.
  speech_plan picture;
  speech_options options;
  bool marked = false; ///< Faces of random networks: every frame says so.
};

/// How many frames of the batch need a face.
inline size_t faces_in(const speech_batch& x) {
  auto result = size_t{0};
  for (const auto& frame : x.frames)
    result += frame.face ? 1 : 0;
  return result;
}

} // namespace musetalk::pipeline
