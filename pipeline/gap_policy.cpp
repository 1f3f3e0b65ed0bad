#include "pipeline/gap_policy.hpp"

#include "errors/error.hpp"
#include "pipeline/media_info.hpp"

#include <cmath>
#include <cstdio>
#include <string>
#include <utility>

namespace musetalk::pipeline {

namespace {

// How far a gap beyond the limit is followed to tell its length.
constexpr int64_t measured_frames = 10 * avatar_frames_per_second;

point between(const point& a, const point& b, float share) {
  return {a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share};
}

box between(const box& a, const box& b, float share) {
  auto edge = [=](int32_t from, int32_t to) {
    return from + static_cast<int32_t>(std::lround(static_cast<float>(to - from) * share));
  };
  return {edge(a.left, b.left), edge(a.top, b.top), edge(a.right, b.right),
          edge(a.bottom, b.bottom)};
}

face between(const face& a, const face& b, float share) {
  auto result = share < 0.5f ? a : b;
  for (auto i = size_t{0}; i < a.landmarks.size(); ++i)
    result.landmarks[i] = between(a.landmarks[i], b.landmarks[i], share);
  if (a.outline.size() == b.outline.size())
    for (auto i = size_t{0}; i < a.outline.size(); ++i)
      result.outline[i] = between(a.outline[i], b.outline[i], share);
  if (a.detected && b.detected)
    result.detected = between(*a.detected, *b.detected, share);
  return result;
}

std::string seconds(int64_t frames) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f s",
                static_cast<double>(frames) / avatar_frames_per_second);
  return text;
}

} // namespace

gap_policy::gap_policy(int32_t max_gap_frames) : max_gap_frames_(max_gap_frames) {
  // nop
}

bool gap_policy::lost() const {
  return gap_length_ > max_gap_frames_;
}

std::vector<placed_frame> gap_policy::push(frame source, std::optional<face> found) {
  if (!found) {
    if (gap_length_ == 0)
      gap_first_ = source.index;
    gap_last_ = source.index;
    ++gap_length_;
    if (!lost())
      gap_.push_back(std::move(source));
    else
      gap_.clear();
    // Before the first face the whole clip is looked at: it may hold no face at all.
    if (last_seen_ && gap_length_ > max_gap_frames_ + measured_frames)
      fail(false);
    return {};
  }
  if (lost())
    fail(true);
  auto result = bridge(last_seen_ ? *last_seen_ : *found, *found);
  last_seen_ = *found;
  result.push_back({std::move(source), std::move(*found), false});
  return result;
}

std::vector<placed_frame> gap_policy::finish() {
  if (!last_seen_)
    throw error{errc::face_none, "No frame of the video shows a face: " +
                                     std::to_string(gap_length_) + " frames looked at."};
  if (lost())
    fail(true);
  return bridge(*last_seen_, *last_seen_);
}

std::vector<placed_frame> gap_policy::bridge(const face& before, const face& after) {
  auto result = std::vector<placed_frame>{};
  auto steps = static_cast<float>(gap_.size() + 1);
  for (auto& x : gap_) {
    auto share = static_cast<float>(result.size() + 1) / steps;
    result.push_back({std::move(x), between(before, after, share), true});
  }
  gap_.clear();
  gap_length_ = 0;
  return result;
}

void gap_policy::fail(bool ended) const {
  throw error{errc::face_lost, "No face in frames " + std::to_string(gap_first_) + " to " +
                                   std::to_string(gap_last_) + " (" + seconds(gap_first_) + " to " +
                                   seconds(gap_last_ + 1) + "), " + (ended ? "" : "at least ") +
                                   std::to_string(gap_length_) + " in a row; at most " +
                                   std::to_string(max_gap_frames_) + " can be bridged."};
}

} // namespace musetalk::pipeline
