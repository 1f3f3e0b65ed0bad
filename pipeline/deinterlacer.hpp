#pragma once

#include "pipeline/filter_graph.hpp"

#include <optional>
#include <vector>

namespace musetalk::pipeline {

/// Makes whole pictures of interlaced ones (libav's `bwdif`, one picture per frame); pictures that
/// are not flagged as interlaced pass as they are. Until the first interlaced one nothing is
/// touched at all, so a progressive clip keeps its very pixels and buffers.
class deinterlacer {
public:
  /// @param base Time base of the pictures' `pts`.
  explicit deinterlacer(AVRational base) : base_(base) {}

  /// Takes a picture, in order. @returns Those that are ready, in order.
  /// @throws error `video_damaged` when libav refuses one.
  std::vector<av::frame_ptr> push(av::frame_ptr picture);

  /// Ends the clip. @returns The rest.
  std::vector<av::frame_ptr> finish();

private:
  std::vector<av::frame_ptr> taken();

  AVRational base_;
  std::optional<filter_graph> graph_; // none while no interlaced picture came
  int64_t length_ = 1;                // of the latest picture
};

} // namespace musetalk::pipeline
