#pragma once

#include "pipeline/prepared.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace musetalk::pipeline {

/// A frame whose face is known.
struct placed_frame {
  frame source;
  face found;
  bool held = false; ///< Interpolated or held, not seen.
};

/// Decides what happens to frames without a face. A gap of at most `max_gap_frames` is bridged: its
/// points move in a straight line from the last face to the next; a gap at the clip's start or end
/// takes the nearest face. A longer gap fails. Streams: at most `max_gap_frames` frames are kept.
class gap_policy {
public:
  /// @param max_gap_frames 0 = every frame must show a face.
  explicit gap_policy(int32_t max_gap_frames);

  /// Takes the next frame, in order. A face that has no valid box (`apply_box_rule` gives nothing)
  /// must be given as no face.
  /// @returns The frames that are decided now, in order; often one, none inside a gap.
  /// @throws error `face_lost` once a gap beyond the limit has ended (or has grown far beyond it),
  /// with its frames, seconds and the limit.
  std::vector<placed_frame> push(frame source, std::optional<face> found);

  /// Ends the clip. @returns The remaining frames.
  /// @throws error `face_none` when no frame showed a face, `face_lost` as above.
  std::vector<placed_frame> finish();

private:
  bool lost() const;
  std::vector<placed_frame> bridge(const face& before, const face& after);
  [[noreturn]] void fail(bool ended) const;

  int32_t max_gap_frames_;
  std::deque<frame> gap_;         // frames without a face that may still be bridged
  int64_t gap_length_ = 0;        // frames of the gap, dropped ones included
  int64_t gap_first_ = 0;         // index of its first frame
  int64_t gap_last_ = 0;          // index of its last frame
  std::optional<face> last_seen_; // nothing before the first face
};

} // namespace musetalk::pipeline
