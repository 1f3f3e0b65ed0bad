#pragma once

#include "pipeline/bgr_converter.hpp"
#include "pipeline/deinterlacer.hpp"
#include "pipeline/frame_clock.hpp"
#include "pipeline/image.hpp"
#include "pipeline/media_file.hpp"
#include "pipeline/video_decoder.hpp"

#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <vector>

namespace musetalk::pipeline {

/// How to read a clip.
struct read_config {
  media_limits limits;
  double max_damaged_share = 0.02; ///< Of the frames.
  int32_t threads = 0;             ///< For the decoder; 0 = one per core.
};

/// Plays a clip once at 25 frames per second: decodes, deinterlaces, repeats and drops pictures
/// where the source has another rate. Memory does not grow with the clip's length. One thread at a
/// time.
class clip_reader {
public:
  /// @throws error `video_*`.
  clip_reader(const std::filesystem::path& source, const read_config& config);

  /// What the container promises.
  const media_info& info() const noexcept { return file_.info(); }
  const media_file& file() const noexcept { return file_; }

  /// Goes to the next frame; to the first one at first. False after the last one, when the clip as
  /// a whole has been judged sound.
  /// @throws error `video_*`: a limit broken in mid-clip, `video_truncated`, `video_damaged`.
  bool advance();

  /// Number of the current frame, from 0; -1 before the first.
  int64_t index() const noexcept { return index_; }

  /// The current frame as shown: rotated, square pixels, BGR; all of one size, odd ones too. A
  /// repeated frame shares its bytes with the one before.
  image picture();

  /// The current frame as decoded. Valid until `advance`.
  const AVFrame& stored() const noexcept { return *current_.picture; }

  /// Same for all frames. Known from the first `advance` on.
  const picture_geometry& geometry() const noexcept { return geometry_; }

  const decode_counts& counts() const noexcept { return decoder_.counts(); }

  /// Collects sound from now on, for `take_sound`.
  void keep_sound() noexcept { keep_sound_ = true; }

  /// Sound packets that have come since the last call. Empty before the first frame.
  std::vector<av::packet_ptr> take_sound();

  /// Time stamp of frame 0 in the video track's time base. Known from the first `advance` on.
  int64_t start() const noexcept { return start_; }

private:
  struct shown_picture {
    av::frame_ptr picture;
    int64_t times = 0; // still to be shown
    int coded_width = 0;
    int coded_height = 0;
  };

  bool pump();
  void decode_ready();
  void take(av::frame_ptr picture);
  void queue_sound(const AVPacket& packet);
  void finish();
  void require_whole() const;

  read_config config_;
  media_file file_;
  video_decoder decoder_;
  deinterlacer deinterlacer_;
  frame_clock clock_;
  picture_geometry geometry_;
  std::optional<bgr_converter> converter_;
  av::packet_ptr packet_;
  shown_picture held_;    // waits for the next one to tell how long it lasts
  shown_picture current_; // what `advance` went to
  std::deque<shown_picture> ready_;
  image converted_; // of `current_`; without pixels until asked for
  std::vector<av::packet_ptr> sound_;
  uint64_t sound_bytes_ = 0;
  bool keep_sound_ = false;
  bool ended_ = false;
  int64_t index_ = -1;
  int64_t start_ = AV_NOPTS_VALUE;
  int64_t end_ = 0; // of the latest picture, from the start, same base
};

} // namespace musetalk::pipeline
