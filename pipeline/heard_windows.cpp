#include "pipeline/heard_windows.hpp"

#include "errors/error.hpp"
#include "models/audio_windows.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace musetalk::pipeline {

namespace {

// MuseTalk's own, as the published UNet was trained with.
constexpr int64_t context_frames = 2;

} // namespace

heard_windows::heard_windows(int64_t samples, int64_t fps) {
  auto plan = models::plan_windows(samples, fps, context_frames, context_frames);
  starts_ = std::move(plan.starts);
  for (auto& x : starts_)
    x -= plan.zeros_before;
  window_ = plan.window;
  steps_ = plan.steps;
}

// What lies behind the real steps is silence, and known without hearing it.
int64_t heard_windows::end_step(int64_t frame) const {
  return std::min(first_step(frame) + window_, steps_);
}

bool heard_windows::wants_more(int64_t frame) const {
  return end_step(frame) > heard_steps_;
}

void heard_windows::push(heard_sound x) {
  const auto values = x.steps * x.layers * x.channels;
  const auto alike = segments_.empty() || (x.layers == segments_.back().heard.layers &&
                                           x.channels == segments_.back().heard.channels);
  if (x.steps < 1 || x.layers < 1 || x.channels < 1 || !x.values || !alike ||
      static_cast<int64_t>(x.values->size()) != values)
    throw error{errc::device_failed, "The audio network answered in another form than asked."};
  const auto first = heard_steps_;
  heard_steps_ += x.steps;
  segments_.push_back({first, std::move(x)});
}

floats_ptr heard_windows::cut(int64_t frame) const {
  if (segments_.empty() || wants_more(frame))
    throw error{errc::internal, "A window was cut before its sound was heard."};
  const auto step_values = segments_.front().heard.layers * segments_.front().heard.channels;
  auto result = std::vector<float>(static_cast<size_t>(window_ * step_values));
  const auto begin = first_step(frame);
  const auto end = end_step(frame);
  for (const auto& x : segments_) {
    const auto from = std::max(begin, x.first);
    const auto to = std::min(end, x.first + x.heard.steps);
    if (from < to)
      std::copy_n(x.heard.values->begin() + (from - x.first) * step_values,
                  (to - from) * step_values, result.begin() + (from - begin) * step_values);
  }
  return std::make_shared<const std::vector<float>>(std::move(result));
}

void heard_windows::forget_before(int64_t frame) {
  // The last stays: it tells the form.
  while (segments_.size() > 1 &&
         segments_.front().first + segments_.front().heard.steps <= first_step(frame))
    segments_.pop_front();
}

} // namespace musetalk::pipeline
