#pragma once

#include "pipeline/av.hpp"
#include "pipeline/image.hpp"
#include "pipeline/picture_geometry.hpp"

namespace musetalk::pipeline {

/// Turns decoded pictures into BGR, all of one shown size: swscale, bicubic, rotation afterwards,
/// no regard for colour tags. For square pixels these are the very bytes that cv::VideoCapture
/// gives, which is what MuseTalk's own preparation reads. One thread at a time.
///
/// Source: OpenCV 4.6 `modules/videoio/src/cap_ffmpeg_impl.hpp`, `retrieveFrame`.
class bgr_converter {
public:
  /// @param geometry Of the clip's first picture; later ones are stretched to it.
  explicit bgr_converter(const picture_geometry& geometry) : geometry_(geometry) {}

  /// @param coded_width, coded_height What the decoder has in its buffers, at least the picture.
  /// @throws error `video_damaged` for a format that cannot be converted.
  image convert(const AVFrame& picture, int coded_width, int coded_height);

private:
  void reserve(int width, int height);

  picture_geometry geometry_;
  av::scaler_ptr scaler_;
  av::frame_ptr padded_; // BGR with aligned rows, as swscale likes them
};

} // namespace musetalk::pipeline
