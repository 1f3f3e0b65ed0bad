#include "pipeline/frame_sampler.hpp"

#include "pipeline/bgr_converter.hpp"
#include "pipeline/media_file.hpp"
#include "pipeline/media_limits.hpp"
#include "pipeline/video_decoder.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace musetalk::pipeline {

namespace {

// Between two samples; a key picture is often that far away.
constexpr int32_t max_pictures_between = 2 * avatar_frames_per_second;

/// Decodes forwards or by jumps, one picture at a time.
class picture_walker {
public:
  picture_walker(const std::filesystem::path& source, const media_limits& limits, int32_t threads)
      : file_(source, limits), decoder_(file_, limits, threads), packet_(av::make_packet()),
        picture_(av::make_frame()), next_(av::make_frame()) {
    file_.clear_deadline();
  }

  double duration() const noexcept { return file_.info().duration_s; }
  double unit() const { return av_q2d(file_.video().time_base); }
  int64_t stamp_at(double seconds) const {
    return file_.start() + static_cast<int64_t>(std::llround(seconds / unit()));
  }

  /// Goes to the key picture before `seconds` if that is ahead. Containers without an index (TS)
  /// cannot be trusted to land on a key picture, so they are read on.
  void approach(double seconds) {
    const auto* key = avformat_index_get_entry_from_timestamp(
        const_cast<AVStream*>(&file_.video()), stamp_at(seconds), AVSEEK_FLAG_BACKWARD);
    if (key == nullptr || (at_ && key->timestamp <= *at_) || !file_.seek(seconds))
      return;
    decoder_.flush();
    ended_ = false;
  }

  /// The next picture; false at the end.
  bool step() {
    for (;;) {
      if (decoder_.receive(*next_)) {
        picture_.swap(next_);
        at_ = picture_->pts;
        return true;
      }
      if (ended_)
        return false;
      if (!file_.read(*packet_)) {
        ended_ = true;
        decoder_.end();
        continue;
      }
      if (packet_->stream_index == file_.video().index)
        decoder_.send(*packet_);
      av_packet_unref(packet_.get());
    }
  }

  /// The picture that `step` came to.
  image shown(const media_limits& limits) {
    if (!converter_) {
      const auto geometry = file_.geometry(picture_->width, picture_->height);
      require_size(geometry.width(), geometry.height(), limits);
      converter_.emplace(geometry);
    }
    return converter_->convert(*picture_, decoder_.coded_width(), decoder_.coded_height());
  }

  int64_t at() const noexcept { return *at_; }
  double seconds() const { return static_cast<double>(at() - file_.start()) * unit(); }
  void require_sound() const { decoder_.require_sound(1.); }

private:
  media_file file_;
  video_decoder decoder_;
  av::packet_ptr packet_;
  av::frame_ptr picture_;
  av::frame_ptr next_;
  std::optional<bgr_converter> converter_;
  std::optional<int64_t> at_; // time stamp of the latest picture
  bool ended_ = false;
};

} // namespace

int32_t sample_frames(const std::filesystem::path& source, const media_limits& limits,
                      int32_t count, int32_t threads,
                      const std::function<void(const image&)>& take) {
  return sample_frames_in_time(source, limits, count, threads,
                               [&](const image& picture, double) { take(picture); });
}

int32_t sample_frames_in_time(const std::filesystem::path& source, const media_limits& limits,
                              int32_t count, int32_t threads,
                              const std::function<void(const image&, double seconds)>& take) {
  const auto log = av::log_scope{};
  auto walker = picture_walker{source, limits, threads};
  auto shown = int32_t{0};
  auto latest = std::numeric_limits<int64_t>::min();
  for (auto i = 0; i < count; ++i) {
    const auto seconds = walker.duration() * (i + .5) / count;
    if (seconds > 0.)
      walker.approach(seconds);
    const auto target = walker.stamp_at(seconds);
    auto found = false;
    for (auto n = 0; n < max_pictures_between && walker.step(); ++n) {
      found = walker.at() > latest;
      if (found && walker.at() >= target)
        break;
    }
    // A short clip has fewer pictures than samples.
    if (!found)
      continue;
    latest = walker.at();
    take(walker.shown(limits), walker.seconds());
    ++shown;
  }
  if (shown == 0) {
    walker.require_sound();
    throw error(errc::video_too_short, "The video has not a single frame.", av::heard());
  }
  return shown;
}

} // namespace musetalk::pipeline
