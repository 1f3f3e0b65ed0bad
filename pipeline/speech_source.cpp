#include "pipeline/speech_source.hpp"

#include "pipeline/avatar_cycle.hpp"
#include "pipeline/heard_windows.hpp"
#include "pipeline/sentence.hpp"
#include "pipeline/speech_reader.hpp"

#include <algorithm>
#include <utility>

namespace musetalk::pipeline {

namespace {

constexpr size_t reading_step = 1 << 16;

int64_t count_samples(const speech_request& request, const speech_config& config) {
  auto reader = speech_reader{request.sound, config.limits};
  auto result = int64_t{0};
  for (;;) {
    const auto got = reader.next(reading_step).size();
    result += static_cast<int64_t>(got);
    if (got < reading_step)
      return result;
  }
}

class folder_speech_source final : public speech_source {
public:
  folder_speech_source(const speech_request& request, const speech_config& config,
                       sound_analysis_ptr analysis)
      : options_(request.options), cycle_(request.avatar, config.cache_bytes),
        samples_(count_samples(request, config)), reader_(request.sound, config.limits),
        windows_(samples_, options_.fps), analysis_(std::move(analysis)) {
    if (options_.start_frame >= cycle_.frames())
      throw error{errc::request_field_invalid,
                  sentence("start_frame is %lld; the avatar has the frames 0 to %lld.",
                           static_cast<long long>(options_.start_frame),
                           static_cast<long long>(cycle_.frames() - 1))};
    plan_.width = cycle_.width();
    plan_.height = cycle_.height();
    plan_.duration_s = static_cast<double>(samples_) / speech_rate_hz;
    plan_.frames = windows_.frames();
    if (options_.mode == sync_mode::cut_off)
      plan_.frames = std::min(plan_.frames, cycle_.frames() - options_.start_frame);
    if (plan_.frames < 1)
      throw error{errc::audio_too_short,
                  sentence("The sound is %.3f s long; one frame takes %.3f s.", plan_.duration_s,
                           1. / options_.fps)};
  }

  const speech_plan& plan() const override { return plan_; }

  speech_batch next(int32_t max_frames) override {
    auto result = speech_batch{};
    const auto end = std::min(plan_.frames, done_ + std::max(max_frames, 1));
    for (; done_ < end; ++done_)
      result.frames.push_back(make_frame(done_));
    result.last = done_ == plan_.frames;
    return result;
  }

private:
  speech_frame make_frame(int64_t index) {
    const auto number = frame_of_step(index, options_.start_frame, cycle_.frames(), options_.mode);
    auto shown = cycle_.frame_at(number);
    auto result = speech_frame{};
    result.index = index;
    result.picture = std::move(shown.picture);
    result.face = shown.face;
    if (!shown.face)
      return result;
    result.face_box = shown.face_box;
    result.area = std::move(shown.area);
    result.lips.code = cycle_.latent_at(number);
    hear_until(index);
    result.lips.heard = windows_.cut(index);
    return result;
  }

  // Segments are heard when their first frame comes, and let go behind it.
  void hear_until(int64_t index) {
    while (windows_.wants_more(index)) {
      auto samples = reader_.next(segment_samples);
      if (samples.empty())
        throw error{errc::audio_damaged, "The sound is shorter than when it was first read."};
      const auto segment =
          sound_segment{std::make_shared<const std::vector<float>>(std::move(samples))};
      for (auto& x : analysis_->listen({&segment, 1}))
        windows_.push(std::move(x));
    }
    windows_.forget_before(index);
  }

  speech_options options_;
  avatar_cycle cycle_;
  int64_t samples_;
  speech_reader reader_;
  heard_windows windows_;
  sound_analysis_ptr analysis_;
  speech_plan plan_;
  int64_t done_ = 0; // frames
};

} // namespace

std::unique_ptr<speech_source> open_speech(const speech_request& request,
                                           const speech_config& config,
                                           const sound_analysis_ptr& analysis) {
  return std::make_unique<folder_speech_source>(request, config, analysis);
}

media_info probe_speech(const std::filesystem::path& source, const speech_limits& limits) {
  const auto file = speech_file{source, limits};
  auto result = media_info{};
  result.container = file.info().container;
  result.duration_s = file.info().duration_s;
  result.has_audio = true;
  return result;
}

} // namespace musetalk::pipeline
