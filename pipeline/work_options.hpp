#pragma once

#include "pipeline/face_methods.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace musetalk::pipeline {

/// Everything beside a request that a version depends on. Equal for all jobs of a service.
struct work_options {
  std::string engine;  ///< `native`, `upstream` or `mock`.
  std::string weights; ///< `real`, `synthetic` or `none`.
  std::string models;  ///< `identity_of` the files that are read.
  face_methods faces;  ///< Of no meaning in mock mode.
  std::string x264_preset;
  int32_t video_kbps = 0;
  int32_t max_gap_frames = 0;
  double max_damaged_share = 0.;
  double blur_strength = 0.; ///< Of no meaning where nothing is blurred.
};

/// A hash of the effective options: equal bytes with equal keys give equal versions. 64 lower-case
/// hex digits.
std::string options_key(const work_options& options, bool apply_blur);

/// Changes when a file is replaced or written: name, size and time of change of each, those that
/// are missing among them. Nothing is read, so that gigabytes of weights cost nothing.
std::string identity_of(std::span<const std::filesystem::path> files);

} // namespace musetalk::pipeline
