#include "pipeline/preflight.hpp"

#include "errors/error.hpp"
#include "pipeline/clip_preparer.hpp"
#include "pipeline/face_samples.hpp"
#include "pipeline/frame_sampler.hpp"
#include "pipeline/opencv.hpp"
#include "pipeline/png_writer.hpp"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace musetalk::pipeline {

namespace {

/// Mean gray of a face that is hard to see, of 255.
constexpr double dark_gray = 45.;

/// Correlation of the colours of two samples of one scene; a cut is far below.
constexpr double same_scene = 0.5;

/// Of one frame beside its picture: mask, latent and boxes; measured on faces of common size.
constexpr uint64_t bytes_beside_picture = 16'384 + 6'000 + 64;

/// One sampled frame.
struct sample {
  int64_t frame = 0; ///< At 25 frames per second.
  std::vector<detection> faces;
  double face_gray = -1.; ///< Mean of the largest face.
  cv::Mat colours;        ///< A histogram.
};

bool is_of_the_video(errc code) {
  switch (code) {
  case errc::video_empty:
  case errc::video_unreadable:
  case errc::video_no_track:
  case errc::video_too_long:
  case errc::video_too_short:
  case errc::video_too_large:
  case errc::video_too_small:
  case errc::video_too_many_frames:
  case errc::video_truncated:
  case errc::video_damaged:
  case errc::face_none:
  case errc::face_several:
  case errc::face_too_small:
    return true;
  default:
    return false;
  }
}

/// Runs a check; what it finds wrong with the video is noted. False when something was.
template <class Check>
bool passes(preflight_report& report, const std::vector<int64_t>& frames, Check&& check) {
  try {
    check();
    return true;
  } catch (const error& x) {
    if (!is_of_the_video(x.code()))
      throw;
    report.findings.push_back({std::string{to_string(x.code())}, x.detail(), "", frames, true});
    return false;
  }
}

void warn(preflight_report& report, const std::string& code, const std::string& detail,
          const std::string& hint, std::vector<int64_t> frames) {
  report.findings.push_back({code, detail, hint, std::move(frames), false});
}

cv::Mat colours_of(const cv::Mat& picture) {
  auto small = cv::Mat{};
  cv::resize(picture, small, {160, 90}, 0, 0, cv::INTER_AREA);
  auto result = cv::Mat{};
  constexpr int channels[] = {0, 1, 2};
  constexpr int bins[] = {8, 8, 8};
  constexpr float range[] = {0.f, 256.f};
  const float* ranges[] = {range, range, range};
  cv::calcHist(&small, 1, channels, cv::noArray(), result, 3, bins, ranges);
  // The root, so that a large plain wall is not all that counts.
  cv::sqrt(result, result);
  return result;
}

double gray_of(const cv::Mat& picture, const detection& face) {
  auto place = cv::Rect{cv::Point{static_cast<int>(face.left), static_cast<int>(face.top)},
                        cv::Point{static_cast<int>(face.right), static_cast<int>(face.bottom)}} &
               cv::Rect{0, 0, picture.cols, picture.rows};
  if (place.empty())
    return -1.;
  auto mean = cv::mean(picture(place));
  return 0.114 * mean[0] + 0.587 * mean[1] + 0.299 * mean[2];
}

std::vector<sample> look(const std::filesystem::path& source, const prepare_config& config,
                         uint64_t& picture_bytes) {
  auto finder = face_finder{config.face_models_dir};
  auto encoder = png_encoder{};
  auto result = std::vector<sample>{};
  auto bytes = uint64_t{0};
  sample_frames_in_time(source, config.limits, config.face_samples, config.threads,
                        [&](const image& shown, double seconds) {
                          auto picture = borrow(shown);
                          auto& x = result.emplace_back();
                          x.frame = static_cast<int64_t>(
                              std::llround(seconds * avatar_frames_per_second));
                          x.faces = finder.find(shown);
                          if (!x.faces.empty())
                            x.face_gray = gray_of(picture, x.faces.front());
                          x.colours = colours_of(picture);
                          bytes += encoder.encode(shown).size();
                        });
  picture_bytes = bytes / std::max<size_t>(result.size(), 1);
  return result;
}

template <class Holds>
std::vector<int64_t> frames_where(const std::vector<sample>& samples, Holds&& holds) {
  auto result = std::vector<int64_t>{};
  for (const auto& x : samples)
    if (holds(x))
      result.push_back(x.frame);
  return result;
}

std::string in_samples(size_t count, size_t all) {
  return std::to_string(count) + " of " + std::to_string(all) + " sampled frames";
}

/// What keeps a job from starting, with the frames that show it.
void judge_faces(preflight_report& report, const std::vector<sample>& samples,
                 const prepare_config& config) {
  auto faces = std::vector<std::vector<detection>>{};
  for (const auto& x : samples)
    faces.push_back(x.faces);
  auto judged = judge_samples(faces, config.min_face_pixels);
  auto frames = frames_where(samples, [&](const sample& x) {
    switch (judged.verdict) {
    case sample_verdict::several_faces:
      return x.faces.size() > 1;
    case sample_verdict::too_small:
      return !x.faces.empty();
    default:
      return x.faces.empty();
    }
  });
  if (!passes(report, frames, [&] { require_one_face(judged, config.min_face_pixels); }))
    return;
  if (!frames.empty())
    warn(report, "face.lost", "No face in " + in_samples(frames.size(), samples.size()) + ".",
         "A face may be away for " + std::to_string(config.max_gap_frames) +
             " frames at a time (MUSETALKD_MAX_GAP_FRAMES); cut longer stretches out.",
         frames);
}

void judge_light(preflight_report& report, const std::vector<sample>& samples) {
  auto dark = frames_where(
      samples, [](const sample& x) { return x.face_gray >= 0. && x.face_gray < dark_gray; });
  if (dark.empty())
    return;
  auto least = 255.;
  for (const auto& x : samples)
    if (x.face_gray >= 0.)
      least = std::min(least, x.face_gray);
  warn(report, "face.too_dark",
       "The face is dark in " + in_samples(dark.size(), samples.size()) +
           ": its mean brightness is " + std::to_string(std::lround(least)) + " of 255.",
       "Film with more light on the face: mouth and teeth come out unclear.", dark);
}

void judge_cuts(preflight_report& report, const std::vector<sample>& samples) {
  for (auto i = size_t{1}; i < samples.size(); ++i)
    if (cv::compareHist(samples[i - 1].colours, samples[i].colours, cv::HISTCMP_CORREL) <
        same_scene)
      warn(report, "video.cut",
           "The scene changes between the frames " + std::to_string(samples[i - 1].frame) +
               " and " + std::to_string(samples[i].frame) + ".",
           "Cut the video to one scene: the avatar jumps where the picture does.",
           {samples[i - 1].frame, samples[i].frame});
}

} // namespace

preflight_report examine_video(const std::filesystem::path& source, const prepare_config& config,
                               bool convert_only) {
  auto report = preflight_report{};
  if (!passes(report, {}, [&] { report.info = probe_video(source, config.limits); }))
    return report;
  auto video_bytes = report.info.duration_s * config.video_kilobits_per_second * 125.;
  report.version_bytes = static_cast<uint64_t>(video_bytes);
  if (convert_only)
    return report;
  auto samples = std::vector<sample>{};
  auto picture_bytes = uint64_t{0};
  if (!passes(report, {}, [&] { samples = look(source, config, picture_bytes); }))
    return report;
  report.samples = static_cast<int64_t>(samples.size());
  report.version_bytes +=
      static_cast<uint64_t>(report.info.predicted_frames) * (picture_bytes + bytes_beside_picture);
  judge_faces(report, samples, config);
  judge_light(report, samples);
  judge_cuts(report, samples);
  return report;
}

} // namespace musetalk::pipeline
