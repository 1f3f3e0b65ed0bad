#include "pipeline/disk_budget.hpp"

#include "errors/error.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

namespace musetalk::pipeline {

namespace {

/// PNG and mask of camera pictures: 2.1 were measured for a clip of 176 x 144, 0.9 for the same
/// enlarged to 720p. What this service writes corrects it.
constexpr auto first_bytes_per_pixel = 1.4;

/// A latent of 8 x 32 x 32 halves, its entry, boxes and names.
constexpr auto bytes_per_frame = 18'000.;

/// Preview, contact sheet, manifest, and blocks that are not full.
constexpr auto bytes_beside = 300'000.;

/// No encoder needs more for a pixel of video, whatever it is told to spend.
constexpr auto most_video_bytes_per_pixel = 0.5;

std::string in_mb(uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text;
}

double pixels_of(const media_info& video) {
  return static_cast<double>(video.width) * video.height;
}

[[noreturn]] void refuse(uint64_t needed, const disk_space& space, uint64_t reserved) {
  throw error(errc::storage_full, "The avatar needs about " + in_mb(needed) + "; " +
                                      in_mb(space.free_bytes) + " of " + in_mb(space.total_bytes) +
                                      " are free, " + in_mb(reserved) +
                                      " of them reserved for running jobs.");
}

} // namespace

disk_budget::claim::claim(std::shared_ptr<disk_budget> owner, uint64_t number)
    : owner_(std::move(owner)), number_(number) {
  // nop
}

disk_budget::claim::~claim() {
  owner_->release(number_);
}

void disk_budget::claim::written(double share) {
  auto lock = std::lock_guard{owner_->mutex_};
  owner_->claims_.at(number_).written = std::clamp(share, 0., 1.);
}

disk_budget::disk_budget(look space, const size_rule& rule)
    : space_(std::move(space)), rule_(rule), bytes_per_pixel_(first_bytes_per_pixel) {
  // nop
}

uint64_t disk_budget::predict(const media_info& video) const {
  auto lock = std::lock_guard{mutex_};
  auto frames = static_cast<double>(video.predicted_frames);
  auto by_rate = std::max(video.duration_s, 1.) * rule_.video_kilobits * 1000. / 8;
  auto by_pixels = frames * pixels_of(video) * most_video_bytes_per_pixel;
  auto result = std::min(by_rate, by_pixels);
  if (!rule_.mock)
    result += frames * (pixels_of(video) * bytes_per_pixel_ + bytes_per_frame) + bytes_beside;
  return static_cast<uint64_t>(std::llround(result));
}

void disk_budget::measured(const media_info& video, int64_t frames, uint64_t bytes) {
  auto pixels = pixels_of(video) * static_cast<double>(frames);
  if (rule_.mock || pixels <= 0.)
    return;
  auto lock = std::lock_guard{mutex_};
  auto found = std::clamp(static_cast<double>(bytes) / pixels, 0.1, 4.);
  bytes_per_pixel_ = (bytes_per_pixel_ + found) / 2;
}

void disk_budget::require_possible(const media_info& video) const {
  auto needed = predict(video);
  if (auto space = space_(); space && needed > space->free_bytes)
    refuse(needed, *space, reserved());
}

std::unique_ptr<disk_budget::claim> disk_budget::reserve(const media_info& video) {
  auto needed = predict(video);
  auto lock = std::lock_guard{mutex_};
  auto taken = reserved_locked();
  if (auto space = space_(); space && needed + taken > space->free_bytes)
    refuse(needed, *space, taken);
  claims_[++last_number_].bytes = needed;
  return std::make_unique<claim>(shared_from_this(), last_number_);
}

uint64_t disk_budget::reserved() const {
  auto lock = std::lock_guard{mutex_};
  return reserved_locked();
}

void disk_budget::release(uint64_t number) {
  auto lock = std::lock_guard{mutex_};
  claims_.erase(number);
}

uint64_t disk_budget::reserved_locked() const {
  auto result = 0.;
  for (const auto& [number, x] : claims_)
    result += static_cast<double>(x.bytes) * (1. - x.written);
  return static_cast<uint64_t>(result);
}

} // namespace musetalk::pipeline
