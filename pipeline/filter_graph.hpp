#pragma once

#include "pipeline/av.hpp"

#include <string>
#include <vector>

namespace musetalk::pipeline {

/// One chain of libav filters with one input and one output. One thread at a time.
class filter_graph {
public:
  /// For pictures like `like` (size, format, `sample_aspect_ratio`).
  /// @param chain libav's notation. @throws error `internal`.
  filter_graph(const AVFrame& like, AVRational base, const std::string& chain);

  /// For sound as `decoder` gives it.
  filter_graph(const AVCodecContext& decoder, AVRational base, const std::string& chain);

  /// Whether a picture has the size and format that the chain was made for.
  bool fits(const AVFrame& x) const noexcept;

  /// Puts a frame in; it is shared, not changed. @throws error `video_damaged`.
  void push(const AVFrame& x);

  /// Puts the end in.
  void end();

  /// What is ready, in order, with `pts` in the time base of the input.
  std::vector<av::frame_ptr> drain();

  /// Sound comes out in frames of this many samples, but for the last.
  void set_samples(int samples);

  AVFilterContext& output() const noexcept { return *out_; }

private:
  filter_graph(const char* source, const char* sink, const std::string& options, AVRational base,
               const std::string& chain);

  AVRational base_;
  av::graph_ptr graph_;
  AVFilterContext* in_ = nullptr;
  AVFilterContext* out_ = nullptr;
  int width_ = 0;
  int height_ = 0;
  int format_ = -1;
};

} // namespace musetalk::pipeline
