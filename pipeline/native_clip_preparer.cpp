#include "pipeline/native_clip_preparer.hpp"

#include "pipeline/box_rule.hpp"
#include "pipeline/face_crop.hpp"
#include "pipeline/face_parsing.hpp"
#include "pipeline/sentence.hpp"
#include "pipeline/stop.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

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

std::optional<ruled_box> box_of(const face& found, const image& picture) {
  return apply_box_rule(found.landmarks, found.detected, picture.width, picture.height);
}

} // namespace

native_clip_preparer::native_clip_preparer(const clip_request& request,
                                           const prepare_config& config, face_analysis_ptr analysis)
    : request_(request), config_(config), analysis_(std::move(analysis)),
      reader_(request.source, reading(config)), gaps_(config.max_gap_frames) {
  if (!request.video_path.empty())
    reader_.keep_sound();
  if (request.apply_blur)
    blur_.emplace(config.face_models_dir, blur_config{.sigma_share = config.blur_strength / 100.});
  if (request.convert_only)
    return;
  if (config.faces.on_device() && !analysis_)
    throw error(errc::internal, "The face methods need a device, and there is none.");
  faces_ = config.faces.backend == face_backend::dwpose ? ask_for_faces(analysis_)
                                                        : track_faces(config.face_models_dir);
}

prepared_batch native_clip_preparer::next(int32_t max_frames) {
  auto result = prepared_batch{};
  if (request_.convert_only) {
    convert_only(max_frames);
  } else {
    while (std::ssize(placed_) < max_frames && !ended_)
      read_and_place(max_frames);
    auto first = placed_.begin();
    auto last = first + std::min<ptrdiff_t>(std::ssize(placed_), max_frames);
    auto batch = std::vector(std::make_move_iterator(first), std::make_move_iterator(last));
    placed_.erase(first, last);
    result.frames = complete(std::move(batch));
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
  check_stop(request_.stop);
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
      read_current();
    else
      write_video(nullptr);
  }
}

native_clip_preparer::read_frame native_clip_preparer::read_current() {
  auto result = read_frame{};
  result.as_it_came = timed(times_.colour_s, [&] { return reader_.picture(); });
  result.kept = {reader_.index(), result.as_it_came};
  if (blur_)
    result.kept.picture = timed(times_.blur_s, [&] { return blur_->apply(result.as_it_came); });
  write_video(blur_ ? &result.kept.picture : nullptr);
  return result;
}

// All frames of a batch are read before the first face is looked for, so that a device is asked
// once for all of them.
void native_clip_preparer::read_and_place(int32_t max_frames) {
  auto read = std::vector<read_frame>{};
  auto more = true;
  while (std::ssize(read) < max_frames && (more = advance()))
    read.push_back(read_current());
  place(std::move(read));
  if (!more)
    finish();
}

void native_clip_preparer::place(std::vector<read_frame> read) {
  if (read.empty())
    return;
  auto found = timed(times_.detect_s, [&] { return find_faces(read); });
  for (auto i = size_t{0}; i < read.size(); ++i) {
    auto decided = gaps_.push(std::move(read[i].kept), std::move(found[i]));
    std::move(decided.begin(), decided.end(), std::back_inserter(placed_));
  }
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

// A face that has no valid box is no face.
std::vector<std::optional<face>>
native_clip_preparer::find_faces(const std::vector<read_frame>& read) {
  auto pictures = std::vector<image>{};
  for (const auto& x : read)
    pictures.push_back(x.as_it_came);
  auto result = faces_->find(pictures);
  for (auto i = size_t{0}; i < pictures.size(); ++i)
    if (auto& x = result.at(i); x && !box_of(*x, pictures[i]))
      x.reset();
  return result;
}

std::vector<prepared_frame> native_clip_preparer::complete(std::vector<placed_frame> placed) {
  auto result = std::vector<prepared_frame>{};
  auto face_boxes = std::vector<box>{};
  for (const auto& x : placed) {
    const auto ruled = box_of(x.found, x.source.picture);
    if (!ruled)
      throw error(errc::face_lost, sentence("The face leaves the picture in frame %lld.",
                                            static_cast<long long>(x.source.index)));
    check_stop(request_.stop);
    face_boxes.push_back(ruled->whole);
    auto& made = result.emplace_back();
    made.face_box = ruled->clamped;
    made.crop = timed(times_.crop_s, [&] { return crop_face(x.source.picture, ruled->clamped); });
  }
  auto masks = timed(times_.mask_s, [&] { return make_masks(placed, face_boxes); });
  for (auto i = size_t{0}; i < placed.size(); ++i) {
    auto& made = result[i];
    made.mask_box = masks[i].place;
    made.mask = std::move(masks[i].mask);
    made.held = placed[i].held;
    times_.held_frames += made.held ? 1 : 0;
    if (!made.held)
      made.seen = std::move(placed[i].found);
    made.source = std::move(placed[i].source);
  }
  return result;
}

std::vector<face_mask> native_clip_preparer::make_masks(const std::vector<placed_frame>& placed,
                                                        const std::vector<box>& face_boxes) {
  auto result = std::vector<face_mask>{};
  const auto mode = config_.faces.mode;
  if (config_.faces.mask == mask_source::polygon) {
    for (auto i = size_t{0}; i < placed.size(); ++i) {
      const auto& picture = placed[i].source.picture;
      result.push_back(
          mask_from_face(placed[i].found, face_boxes[i], picture.width, picture.height, mode));
    }
    return result;
  }
  if (placed.empty())
    return result;
  auto pictures = std::vector<image>{};
  for (auto i = size_t{0}; i < placed.size(); ++i)
    pictures.push_back(parsing_picture(placed[i].source.picture, mask_crop_box(face_boxes[i])));
  const auto classes = analysis_->parse_faces(pictures);
  for (auto i = size_t{0}; i < placed.size(); ++i) {
    const auto& picture = placed[i].source.picture;
    result.push_back(mask_from_parsing(mask_of_classes(classes.at(i), mode), face_boxes[i],
                                       picture.width, picture.height));
  }
  return result;
}

// -- the contract -------------------------------------------------------------

std::unique_ptr<clip_preparer> open_clip(const clip_request& request, const prepare_config& config,
                                         const face_analysis_ptr& analysis) {
  return std::make_unique<native_clip_preparer>(request, config, analysis);
}

} // namespace musetalk::pipeline
