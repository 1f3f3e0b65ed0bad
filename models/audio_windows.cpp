#include "models/audio_windows.hpp"

#include "errors/error.hpp"

#include <algorithm>
#include <cmath>

namespace musetalk::models {

namespace {

constexpr int64_t max_samples = audio_rate_hz * 3600;
constexpr int64_t max_fps = 240;
constexpr int64_t max_context = 50;

} // namespace

int64_t window_plan::too_short() const {
  auto end = zeros_before + steps + zeros_after;
  return std::count_if(starts.begin(), starts.end(),
                       [&](auto start) { return start + window > end; });
}

window_plan plan_windows(int64_t samples, int64_t fps, int64_t left, int64_t right) {
  if (samples < 0 || samples > max_samples || fps < 1 || fps > max_fps || left < 0 ||
      left > max_context || right < 0 || right > max_context)
    throw error{errc::internal, "audio windows were asked for outside their ranges"};
  auto seconds = static_cast<double>(samples) / audio_rate_hz;
  auto steps_per_frame = static_cast<double>(audio_steps_per_s) / static_cast<double>(fps);
  auto padding = static_cast<int64_t>(std::ceil(steps_per_frame));
  auto plan = window_plan{};
  plan.frames = static_cast<int64_t>(std::floor(seconds * static_cast<double>(fps)));
  plan.steps = static_cast<int64_t>(std::floor(seconds * static_cast<double>(audio_steps_per_s)));
  // Upstream takes its zeros from a tensor as long as the clip, so a short clip gets fewer.
  plan.zeros_before = std::min(padding * left, plan.steps);
  plan.zeros_after = std::min(padding * 3 * right, plan.steps);
  plan.window = 2 * (left + right + 1);
  plan.starts.reserve(static_cast<size_t>(plan.frames));
  for (int64_t i = 0; i < plan.frames; ++i)
    plan.starts.push_back(
        static_cast<int64_t>(std::floor(static_cast<double>(i) * steps_per_frame)));
  return plan;
}

} // namespace musetalk::models
