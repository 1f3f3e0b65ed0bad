#pragma once

#include "errors/error.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <string>

/// Ownership and errors of libav. Included by this room's .cpp files and its libav-facing headers
/// only; no other room sees it.
namespace musetalk::pipeline::av {

struct deleter {
  void operator()(AVPacket* x) const noexcept { av_packet_free(&x); }
  void operator()(AVFrame* x) const noexcept { av_frame_free(&x); }
  void operator()(AVCodecContext* x) const noexcept { avcodec_free_context(&x); }
  void operator()(AVFilterGraph* x) const noexcept { avfilter_graph_free(&x); }
  void operator()(AVDictionary* x) const noexcept { av_dict_free(&x); }
  void operator()(SwsContext* x) const noexcept { sws_freeContext(x); }
};

using packet_ptr = std::unique_ptr<AVPacket, deleter>;
using frame_ptr = std::unique_ptr<AVFrame, deleter>;
using codec_ptr = std::unique_ptr<AVCodecContext, deleter>;
using graph_ptr = std::unique_ptr<AVFilterGraph, deleter>;
using scaler_ptr = std::unique_ptr<SwsContext, deleter>;

/// @throws std::bad_alloc.
packet_ptr make_packet();
frame_ptr make_frame();

/// Another reference to the same pixels. @throws error `internal`.
frame_ptr share_frame(const AVFrame& x);

/// Threads for one codec. @param wanted 0 = one per core. @returns 1 to 8: more cost memory for
/// each picture in flight and win nothing.
int codec_threads(int32_t wanted);

/// libav's words for one of its error numbers.
std::string describe(int averror);

/// Collects what libav says on this thread while it lives, at most a few kilobytes, in place of
/// stderr. Scopes nest; the innermost one listens. What libav says outside any scope, or on its
/// own threads, is dropped.
class log_scope {
public:
  log_scope();
  log_scope(const log_scope&) = delete;
  log_scope& operator=(const log_scope&) = delete;
  ~log_scope();

  const std::string& text() const noexcept { return text_; }

private:
  static void listen(void* context, int level, const char* format, va_list arguments);

  std::string text_;
  log_scope* outer_;
};

/// What the innermost scope of this thread has heard; empty without one.
std::string heard();

/// @returns `result` when it is no libav error.
/// @throws error `code` with `detail` for the client; the cause names `call`, libav's error and
/// its log.
int check(int result, errc code, const char* detail, const char* call);

} // namespace musetalk::pipeline::av
