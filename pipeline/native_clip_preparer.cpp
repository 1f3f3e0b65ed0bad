#include "pipeline/native_clip_preparer.hpp"

#include "pipeline/box_rule.hpp"
#include "pipeline/face_crop.hpp"
#include "pipeline/face_mask.hpp"
#include "pipeline/face_samples.hpp"
#include "pipeline/frame_sampler.hpp"
#include "pipeline/sentence.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>

namespace musetalk::pipeline {

namespace {

/// Runs `work` and adds its wall time to `total_s`.
template <class Work>
decltype(auto) timed(double& total_s, Work&& work) {
  struct watch {
    double& total_s;
    std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
    ~watch() {
      total_s += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }
  };
  const auto running = watch{total_s};
  return work();
}

read_config reading(const prepare_config& x) {
  return {x.limits, x.max_damaged_share, x.threads};
}

} // namespace

native_clip_preparer::native_clip_preparer(const clip_request& request,
                                           const prepare_config& config)
    : request_(request), config_(config), reader_(request.source, reading(config)),
      gaps_(config.max_gap_frames) {
  if (!request.video_path.empty())
    reader_.keep_sound();
  if (request.apply_blur)
    blur_.emplace(config.face_models_dir);
  if (!request.convert_only)
    tracker_.emplace(config.face_models_dir);
}

prepared_batch native_clip_preparer::next(int32_t max_frames) {
  auto result = prepared_batch{};
  if (request_.convert_only) {
    convert_only(max_frames);
  } else {
    while (std::ssize(result.frames) < max_frames) {
      if (!placed_.empty()) {
        result.frames.push_back(complete(std::move(placed_.front())));
        placed_.pop_front();
      } else if (ended_) {
        break;
      } else if (advance()) {
        prepare_current();
      } else {
        finish();
      }
    }
  }
  result.last = ended_ && placed_.empty();
  result.frames_decoded = reader_.index() + 1;
  return result;
}

prepare_times native_clip_preparer::times() const {
  auto result = times_;
  result.damaged_frames = reader_.counts().damaged;
  return result;
}

bool native_clip_preparer::advance() {
  const auto more = timed(times_.decode_s, [&] { return reader_.advance(); });
  if (more && !writer_ && !request_.video_path.empty())
    open_writer();
  return more;
}

void native_clip_preparer::convert_only(int32_t max_frames) {
  for (auto i = 0; i < max_frames && !ended_; ++i) {
    if (!advance())
      finish();
    else if (blur_)
      prepare_current();
    else
      write_video(nullptr);
  }
}

void native_clip_preparer::prepare_current() {
  auto current = frame{reader_.index(), {}};
  current.picture = timed(times_.colour_s, [&] { return reader_.picture(); });
  auto found = std::optional<face>{};
  // The face is looked for in the picture as it came: a blurred edge must not move it.
  if (tracker_)
    found = timed(times_.detect_s, [&] { return find_face(current.picture); });
  if (blur_)
    current.picture = timed(times_.blur_s, [&] { return blur_->apply(current.picture); });
  write_video(blur_ ? &current.picture : nullptr);
  if (request_.convert_only)
    return;
  auto decided = gaps_.push(std::move(current), std::move(found));
  std::move(decided.begin(), decided.end(), std::back_inserter(placed_));
}

void native_clip_preparer::finish() {
  if (!request_.convert_only) {
    auto decided = gaps_.finish();
    std::move(decided.begin(), decided.end(), std::back_inserter(placed_));
  }
  if (writer_)
    timed(times_.convert_s, [&] { writer_->finish(); });
  ended_ = true;
}

void native_clip_preparer::open_writer() {
  auto config = write_config{};
  config.x264_preset = config_.x264_preset;
  config.kilobits_per_second = config_.video_kilobits_per_second;
  config.threads = config_.threads;
  config.max_seconds = config_.limits.max_video_seconds;
  writer_.emplace(request_.video_path, reader_.geometry(), reader_.file().audio(), config);
}

void native_clip_preparer::write_video(const image* changed) {
  if (!writer_)
    return;
  timed(times_.convert_s, [&] {
    if (changed != nullptr)
      writer_->write(*changed);
    else
      writer_->write(reader_.stored());
    const auto* sound = reader_.file().audio();
    for (const auto& x : reader_.take_sound())
      writer_->write_sound(
          *x, av_rescale_q(reader_.start(), reader_.file().video().time_base, sound->time_base));
  });
}

std::optional<face> native_clip_preparer::find_face(const image& picture) {
  auto result = tracker_->process(picture);
  if (result && !apply_box_rule(result->landmarks, std::nullopt, picture.width, picture.height))
    result.reset();
  return result;
}

prepared_frame native_clip_preparer::complete(placed_frame placed) {
  const auto& picture = placed.source.picture;
  const auto ruled =
      apply_box_rule(placed.found.landmarks, std::nullopt, picture.width, picture.height);
  if (!ruled)
    throw error(errc::face_lost, sentence("The face leaves the picture in frame %lld.",
                                          static_cast<long long>(placed.source.index)));
  auto result = prepared_frame{};
  result.face_box = ruled->clamped;
  result.crop = timed(times_.crop_s, [&] { return crop_face(picture, ruled->clamped); });
  auto mask = timed(times_.mask_s, [&] {
    return mask_from_face(placed.found, ruled->whole, picture.width, picture.height);
  });
  result.mask_box = mask.place;
  result.mask = std::move(mask.mask);
  result.held = placed.held;
  times_.held_frames += placed.held ? 1 : 0;
  if (!placed.held)
    result.seen = std::move(placed.found);
  result.source = std::move(placed.source);
  return result;
}

// -- the contract -------------------------------------------------------------

std::unique_ptr<clip_preparer> open_clip(const clip_request& request,
                                         const prepare_config& config) {
  return std::make_unique<native_clip_preparer>(request, config);
}

void check_faces(const std::filesystem::path& source, const prepare_config& config) {
  auto finder = face_finder{config.face_models_dir};
  auto samples = std::vector<std::vector<detection>>{};
  sample_frames(source, config.limits, config.face_samples, config.threads,
                [&](const image& picture) { samples.push_back(finder.find(picture)); });
  require_one_face(judge_samples(samples, config.min_face_pixels), config.min_face_pixels);
}

} // namespace musetalk::pipeline
