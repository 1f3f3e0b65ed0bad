#include "pipeline/filter_graph.hpp"

#include "pipeline/sentence.hpp"

extern "C" {
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/channel_layout.h>
#include <libavutil/samplefmt.h>
}

#include <algorithm>
#include <array>

namespace musetalk::pipeline {

namespace {

constexpr auto unfit = "A picture of the video could not be converted.";

std::string picture_options(const AVFrame& like, AVRational base) {
  return sentence("video_size=%dx%d:pix_fmt=%d:time_base=%d/%d:pixel_aspect=%d/%d", like.width,
                  like.height, like.format, base.num, base.den,
                  std::max(0, like.sample_aspect_ratio.num),
                  std::max(1, like.sample_aspect_ratio.den));
}

std::string sound_options(const AVCodecContext& decoder, AVRational base) {
  auto layout = AVChannelLayout{};
  if (decoder.ch_layout.order == AV_CHANNEL_ORDER_UNSPEC)
    av_channel_layout_default(&layout, decoder.ch_layout.nb_channels);
  else
    av_channel_layout_copy(&layout, &decoder.ch_layout);
  auto name = std::array<char, 128>{};
  av_channel_layout_describe(&layout, name.data(), name.size());
  av_channel_layout_uninit(&layout);
  return sentence("time_base=%d/%d:sample_rate=%d:sample_fmt=%s:channel_layout=%s", base.num,
                  base.den, decoder.sample_rate, av_get_sample_fmt_name(decoder.sample_fmt),
                  name.data());
}

} // namespace

filter_graph::filter_graph(const AVFrame& like, AVRational base, const std::string& chain)
    : filter_graph("buffer", "buffersink", picture_options(like, base), base, chain) {
  width_ = like.width;
  height_ = like.height;
  format_ = like.format;
}

filter_graph::filter_graph(const AVCodecContext& decoder, AVRational base, const std::string& chain)
    : filter_graph("abuffer", "abuffersink", sound_options(decoder, base), base, chain) {}

filter_graph::filter_graph(const char* source, const char* sink, const std::string& options,
                           AVRational base, const std::string& chain)
    : base_(base), graph_(avfilter_graph_alloc()) {
  if (!graph_)
    throw std::bad_alloc{};
  graph_->nb_threads = 1;
  graph_->scale_sws_opts = av_strdup("flags=bicubic");
  av::check(avfilter_graph_create_filter(&in_, avfilter_get_by_name(source), "in", options.c_str(),
                                         nullptr, graph_.get()),
            errc::internal, unfit, source);
  av::check(avfilter_graph_create_filter(&out_, avfilter_get_by_name(sink), "out", nullptr, nullptr,
                                         graph_.get()),
            errc::internal, unfit, sink);
  // libav names the ends from the chain's point of view.
  auto* from = avfilter_inout_alloc();
  auto* to = avfilter_inout_alloc();
  if (from == nullptr || to == nullptr) {
    avfilter_inout_free(&from);
    avfilter_inout_free(&to);
    throw std::bad_alloc{};
  }
  *from = {av_strdup("in"), in_, 0, nullptr};
  *to = {av_strdup("out"), out_, 0, nullptr};
  const auto parsed = avfilter_graph_parse_ptr(graph_.get(), chain.c_str(), &to, &from, nullptr);
  avfilter_inout_free(&from);
  avfilter_inout_free(&to);
  av::check(parsed, errc::internal, unfit, "avfilter_graph_parse_ptr");
  av::check(avfilter_graph_config(graph_.get(), nullptr), errc::internal, unfit,
            "avfilter_graph_config");
}

bool filter_graph::fits(const AVFrame& x) const noexcept {
  return x.width == width_ && x.height == height_ && x.format == format_;
}

void filter_graph::push(const AVFrame& x) {
  auto given = av::share_frame(x);
  av::check(av_buffersrc_add_frame(in_, given.get()), errc::video_damaged, unfit,
            "av_buffersrc_add_frame");
}

void filter_graph::end() {
  av::check(av_buffersrc_add_frame(in_, nullptr), errc::video_damaged, unfit,
            "av_buffersrc_add_frame");
}

std::vector<av::frame_ptr> filter_graph::drain() {
  auto result = std::vector<av::frame_ptr>{};
  for (;;) {
    auto ready = av::make_frame();
    const auto got = av_buffersink_get_frame(out_, ready.get());
    if (got == AVERROR(EAGAIN) || got == AVERROR_EOF)
      return result;
    av::check(got, errc::video_damaged, unfit, "av_buffersink_get_frame");
    ready->pts = av_rescale_q(ready->pts, av_buffersink_get_time_base(out_), base_);
    result.push_back(std::move(ready));
  }
}

void filter_graph::set_samples(int samples) {
  av_buffersink_set_frame_size(out_, static_cast<unsigned>(samples));
}

} // namespace musetalk::pipeline
