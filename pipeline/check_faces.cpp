#include "pipeline/clip_preparer.hpp"
#include "pipeline/face_samples.hpp"
#include "pipeline/frame_sampler.hpp"
#include "pipeline/stop.hpp"

#include "errors/error.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace musetalk::pipeline {

namespace {

// Of so many sampled frames the device is asked at once: they are whole pictures.
constexpr size_t frames_at_once = 4;

using samples = std::vector<std::vector<detection>>;

samples detected_by_mediapipe(const std::filesystem::path& source, const prepare_config& config,
                              const std::stop_token& stop) {
  auto finder = face_finder{config.face_models_dir};
  auto result = samples{};
  sample_frames(source, config.limits, config.face_samples, config.threads,
                [&](const image& picture) {
                  check_stop(stop);
                  result.push_back(finder.find(picture));
                });
  return result;
}

detection as_detection(const seen_face& x) {
  auto result = detection{};
  result.score = x.score;
  result.left = static_cast<float>(x.where.left);
  result.top = static_cast<float>(x.where.top);
  result.right = static_cast<float>(x.where.right);
  result.bottom = static_cast<float>(x.where.bottom);
  return result;
}

samples detected_on_device(const std::filesystem::path& source, const prepare_config& config,
                           face_analysis& analysis, const std::stop_token& stop) {
  auto result = samples{};
  auto waiting = std::vector<image>{};
  auto ask = [&] {
    for (const auto& faces : analysis.find_faces(waiting))
      std::ranges::transform(faces, std::back_inserter(result.emplace_back()), as_detection);
    waiting.clear();
  };
  sample_frames(source, config.limits, config.face_samples, config.threads,
                [&](const image& picture) {
                  check_stop(stop);
                  waiting.push_back(picture);
                  if (waiting.size() == frames_at_once)
                    ask();
                });
  if (!waiting.empty())
    ask();
  return result;
}

} // namespace

void check_faces(const std::filesystem::path& source, const prepare_config& config,
                 const face_analysis_ptr& analysis, const std::stop_token& stop) {
  auto on_device = config.faces.backend == face_backend::dwpose;
  if (on_device && !analysis)
    throw error{errc::internal, "The face backend dwpose has no device to ask."};
  auto found = on_device ? detected_on_device(source, config, *analysis, stop)
                         : detected_by_mediapipe(source, config, stop);
  require_one_face(judge_samples(found, config.min_face_pixels), config.min_face_pixels);
}

} // namespace musetalk::pipeline
