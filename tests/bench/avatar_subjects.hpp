#pragma once

#include "models/assembled.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace musetalk::models::bench {

/// What the two benchmarks of an avatar's halves share.
struct avatar_options {
  /// `full`: the published sizes, filled by hash; `synthetic`: a small member of the family; else
  /// the folder `MUSETALK_BASE/models`.
  std::string weights = "full";
  std::vector<std::string> halves = {"create", "speak"};
  std::vector<size_t> batches = {1, 2, 4, 8, 16};
  std::vector<precision> dtypes = {precision::automatic};
  std::string device = "auto";
  int threads = 0;
  double seconds = 3;
};

/// Ends the program with status 2 for what it does not know.
avatar_options parse_avatar_options(int argc, char** argv);

/// An avatar's networks, placed.
struct avatar_networks {
  UNet2DConditionModel unet{nullptr};
  AutoencoderKL vae{nullptr};
};

avatar_networks load_networks(const avatar_options& options, const placement& where);

opened_device open_for(const avatar_options& options, precision dtype);

/// Frames that are the same on every machine.
struct avatar_frames {
  explicit avatar_frames(size_t count, int64_t audio_channels);

  static constexpr int64_t tokens = 50;

  std::vector<std::vector<uint8_t>> pixels;
  std::vector<std::vector<uint16_t>> latents;
  std::vector<std::vector<float>> audio;

  std::vector<bgr_crop> crops(size_t first, size_t count) const;
  std::vector<lip_request> requests(size_t first, size_t count) const;
};

} // namespace musetalk::models::bench
