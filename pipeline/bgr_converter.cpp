#include "pipeline/bgr_converter.hpp"

extern "C" {
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
}

#include <opencv2/core.hpp>

#include <algorithm>
#include <cstring>

namespace musetalk::pipeline {

namespace {

constexpr auto unfit = "A picture of the video could not be converted.";

int ceil_shift(int x, int shift) {
  return -((-x) >> shift);
}

// Whether the picture's buffers really hold an area of this size.
bool holds(const AVFrame& x, int width, int height) {
  const auto format = static_cast<AVPixelFormat>(x.format);
  const auto* about = av_pix_fmt_desc_get(format);
  const auto planes = av_pix_fmt_count_planes(format);
  if (about == nullptr || planes < 1 || (about->flags & AV_PIX_FMT_FLAG_PAL) != 0)
    return false;
  for (auto plane = 0; plane < planes; ++plane) {
    const auto* buffer = av_frame_get_plane_buffer(const_cast<AVFrame*>(&x), plane);
    const auto bytes = av_image_get_linesize(format, width, plane);
    const auto rows = plane == 1 || plane == 2 ? ceil_shift(height, about->log2_chroma_h) : height;
    if (buffer == nullptr || bytes < 0 || x.linesize[plane] < bytes)
      return false;
    const auto end = x.data[plane] + static_cast<ptrdiff_t>(x.linesize[plane]) * (rows - 1) + bytes;
    if (end > buffer->data + buffer->size)
      return false;
  }
  return true;
}

image turned(const cv::Mat& picture, int32_t rotation_degrees) {
  const auto swap = rotation_degrees % 180 != 0;
  const auto width = swap ? picture.rows : picture.cols;
  const auto height = swap ? picture.cols : picture.rows;
  auto bytes = std::vector<uint8_t>(static_cast<size_t>(width) * height * 3);
  auto target = cv::Mat(height, width, CV_8UC3, bytes.data());
  switch (rotation_degrees) {
  case 90:
    cv::rotate(picture, target, cv::ROTATE_90_CLOCKWISE);
    break;
  case 180:
    cv::rotate(picture, target, cv::ROTATE_180);
    break;
  case 270:
    cv::rotate(picture, target, cv::ROTATE_90_COUNTERCLOCKWISE);
    break;
  default:
    picture.copyTo(target);
  }
  return {width, height, 3, share(std::move(bytes))};
}

} // namespace

image bgr_converter::convert(const AVFrame& picture, int coded_width, int coded_height) {
  // OpenCV converts all that the codec has stored and shows a part of it. That decides which way
  // swscale takes at odd sizes and what it sees at the edges, so it is done alike.
  const auto plain = !geometry_.stretched() && picture.width == geometry_.stored_width &&
                     picture.height == geometry_.stored_height;
  const auto whole = plain && coded_width >= picture.width && coded_height >= picture.height &&
                     holds(picture, coded_width, coded_height);
  const auto source_width = whole ? coded_width : picture.width;
  const auto source_height = whole ? coded_height : picture.height;
  const auto target_width = whole ? coded_width : geometry_.square_width;
  const auto target_height = whole ? coded_height : geometry_.square_height;
  reserve(target_width, target_height);
  scaler_.reset(sws_getCachedContext(
      scaler_.release(), source_width, source_height, static_cast<AVPixelFormat>(picture.format),
      target_width, target_height, AV_PIX_FMT_BGR24, SWS_BICUBIC, nullptr, nullptr, nullptr));
  if (!scaler_)
    throw error(errc::video_damaged, unfit, "sws_getCachedContext; " + av::heard());
  av::check(sws_scale(scaler_.get(), picture.data, picture.linesize, 0, source_height,
                      padded_->data, padded_->linesize),
            errc::video_damaged, unfit, "sws_scale");
  const auto shown = cv::Mat(geometry_.square_height, geometry_.square_width, CV_8UC3,
                             padded_->data[0], static_cast<size_t>(padded_->linesize[0]));
  return turned(shown, geometry_.rotation_degrees);
}

void bgr_converter::reserve(int width, int height) {
  if (padded_ && padded_->width == width && padded_->height == height)
    return;
  padded_ = av::make_frame();
  padded_->format = AV_PIX_FMT_BGR24;
  padded_->width = width;
  padded_->height = height;
  av::check(av_frame_get_buffer(padded_.get(), 32), errc::internal, unfit, "av_frame_get_buffer");
}

} // namespace musetalk::pipeline
