#pragma once

#include "pipeline/clip_preparer.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace musetalk::bench {

/// What is measured.
enum class run_mode {
  full,        ///< All of the CPU path but the VAE: conversion, faces, masks, PNG, folder.
  no_networks, ///< Decode, crop, mask, PNG, folder; faces are known beforehand, no conversion.
};

/// One measured run.
struct run_result {
  int64_t frames = 0;
  double stream_s = 0.;  ///< From opening the clip to the last picture on disk.
  double cpu_s = 0.;     ///< Of all threads in that time; says more on a busy machine.
  double verify_s = 0.;  ///< Lists, sheet, reading everything back.
  double publish_s = 0.; ///< Sync and rename.
  std::map<std::string, double> busy_s; ///< Of each stage's own thread.
};

/// Prepares `clip` into an avatar folder below `root`, as a job does: one thread prepares, one
/// writes, at most four batches of eight frames between them.
run_result run(run_mode mode, const std::filesystem::path& clip, const std::filesystem::path& root,
               const pipeline::prepare_config& config);

} // namespace musetalk::bench
